//! Submissions as they wait for the writer: JSON as text, which takes a tenth of what its tree does,
//! and the bytes counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::Submission;

/// A submission whose JSON has been written out.
pub(super) struct Packed {
    /// Without the trees.
    pub submission: Submission,
    /// The detail of its audit row.
    pub detail: Option<String>,
    /// Of each of its jobs.
    pub jobs: Vec<Texts>,
    /// Bytes of JSON.
    pub written: usize,
    /// What it takes while it waits, about.
    pub bytes: usize,
}

/// The JSON of a job.
pub(super) struct Texts {
    pub input: String,
    pub warnings: String,
}

/// What a submission and a job take beside their JSON, with room to spare.
const BESIDE: usize = 1_024;

impl Packed {
    pub(super) fn of(mut submission: Submission) -> Self {
        let written = |value: &mut Value| std::mem::take(value).to_string();
        let detail = submission.audit.as_mut();
        let detail = detail.map(|audit| written(&mut audit.detail));
        let jobs = submission.jobs.iter_mut().map(|job| Texts {
            input: written(&mut job.input),
            warnings: written(&mut job.warnings),
        });
        let jobs: Vec<Texts> = jobs.collect();
        let of_jobs = jobs.iter().map(|job| job.input.len() + job.warnings.len());
        let written = detail.as_ref().map_or(0, String::len) + of_jobs.sum::<usize>();
        Self {
            written,
            bytes: BESIDE * (1 + jobs.len()) + written,
            submission,
            detail,
            jobs,
        }
    }
}

/// The bytes of each caller that wait for the writer; clones share them.
#[derive(Clone)]
pub(super) struct Rooms {
    most: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

impl Rooms {
    /// So many bytes for each caller. Who has nothing there may bring what is larger.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    /// Room for so many bytes, until it is dropped; none when the caller has too many there.
    pub(super) fn take(&self, caller: &str, bytes: usize) -> Option<Room> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let before = taken.get(caller).copied().unwrap_or(0);
        if before > 0 && before + bytes > self.most {
            return None;
        }
        taken.insert(caller.to_owned(), before + bytes);
        Some(Room {
            rooms: self.clone(),
            caller: caller.to_owned(),
            bytes,
        })
    }
}

/// A caller's bytes on their way.
pub(super) struct Room {
    rooms: Rooms,
    caller: String,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        let taken = self.rooms.taken.lock();
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = taken.get_mut(&self.caller) {
            *left = left.saturating_sub(self.bytes);
            if *left == 0 {
                taken.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_a_part_of_the_room_and_gives_it_back() {
        let rooms = Rooms::new(1_000);
        let first = rooms.take("a", 600);
        assert!(first.is_some() && rooms.take("a", 401).is_none());
        let second = rooms.take("a", 400);
        assert!(second.is_some() && rooms.take("b", 1_000).is_some());
        drop((first, second));
        assert!(rooms.taken.lock().unwrap().is_empty());
        assert!(rooms.take("a", 5_000).is_some(), "alone, once");
    }
}
