//! Sets what a Node-API addon needs from the linker.

fn main() {
    napi_build::setup();
}
