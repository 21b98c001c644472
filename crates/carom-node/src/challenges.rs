//! The challenges that this process has open, in all its threads: what somebody else must not get an answer to by
//! relaying it to this process.

use crate::environment::Environment;
use napi_derive::napi;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// By challenge: the address at which it was delivered.
static OPEN: Mutex<Option<HashMap<Vec<u8>, String>>> = Mutex::new(None);

fn open() -> MutexGuard<'static, Option<HashMap<Vec<u8>, String>>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

// Each call is for all environments: they are methods like the others, so that there is one door.
#[napi]
impl Environment {
    /// Notes a challenge that is delivered by a listener at `address`; a client, which has none, says ''.
    #[napi(catch_unwind)]
    pub fn open_challenge(&self, challenge: &[u8], address: String) {
        open().get_or_insert_default().insert(challenge.to_vec(), address);
    }

    /// It was answered, or never will be.
    #[napi(catch_unwind)]
    pub fn close_challenge(&self, challenge: &[u8]) {
        if let Some(open) = open().as_mut() {
            open.remove(challenge);
        }
    }

    /// The address at which this process has delivered a challenge that is still open.
    #[napi(catch_unwind)]
    pub fn address_of_challenge(&self, challenge: &[u8]) -> Option<String> {
        open().as_ref().and_then(|open| open.get(challenge).cloned())
    }
}
