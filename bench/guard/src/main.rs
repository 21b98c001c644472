//! Fixed runs of the core, for `npm run guard`: `guard NAME` does one of them, and `guard` lists their names.
//!
//! A run is done twice: the first time warms up, the second is what counts. It happens inside [`measured`], by whose
//! name callgrind finds it; allocations are counted here, and printed with the number of messages, as JSON.

mod runs;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        runs::ALL.iter().for_each(|run| println!("{}", run.name));
        return ExitCode::SUCCESS;
    };
    let Some(run) = runs::ALL.iter().find(|run| run.name == name) else {
        eprintln!("There is no run {name:?}");
        return ExitCode::FAILURE;
    };
    let mut work = (run.prepare)();
    work();
    let region = Region::new(ALLOCATOR);
    measured(&mut *work);
    let change = region.change();
    println!(
        r#"{{ "messages": {}, "allocations": {} }}"#,
        run.messages,
        // A buffer that grows is one more each time: it may have to move.
        change.allocations + change.reallocations
    );
    ExitCode::SUCCESS
}

/// What is counted is what happens in here (`--toggle-collect`), so it must stay a function of its own.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}
