//! What waits for a writer: the items of each owner in their order, the owners in turn.
//!
//! Promises: one owner's bytes under way are those of one statement at most, so the large items of
//! one keep no two statements busy; an owner with little to write is in the next statement.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What an item adds to a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub rows: usize,
    pub bytes: usize,
}

/// Why nothing more is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// As many wait as may.
    Full,
    /// Nobody writes any more.
    Stopped,
}

/// The waiting room; clones share it.
pub(super) struct Waiting<T> {
    state: Arc<Mutex<State<T>>>,
    come: Arc<Notify>,
    /// Items that may wait.
    room: usize,
    /// The most of a statement.
    most: Size,
}

impl<T> Clone for Waiting<T> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            come: Arc::clone(&self.come),
            ..*self
        }
    }
}

struct State<T> {
    /// Who has something waiting or under way.
    owners: HashMap<String, Owner<T>>,
    /// Who has something waiting; the first is the next.
    turn: VecDeque<String>,
    items: usize,
    writers: usize,
    /// Nobody brings anything more.
    complete: bool,
}

struct Owner<T> {
    items: VecDeque<(T, Size)>,
    /// Bytes of its items in statements.
    under_way: usize,
}

impl<T> Waiting<T> {
    /// A room for so many items, emptied by so many writers.
    pub(super) fn new(room: usize, most: Size, writers: usize) -> Self {
        let state = State {
            owners: HashMap::new(),
            turn: VecDeque::new(),
            items: 0,
            writers,
            complete: false,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            come: Arc::default(),
            room,
            most,
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, owner: &str, item: T, size: Size) -> Result<(), Closed> {
        let mut state = self.state();
        if state.writers == 0 {
            return Err(Closed::Stopped);
        }
        if state.items >= self.room {
            return Err(Closed::Full);
        }
        state.items += 1;
        state.put(owner, (item, size));
        drop(state);
        self.come.notify_one();
        Ok(())
    }

    /// What goes into the next statement, if anything may.
    pub(super) fn take(&self) -> Option<Batch<T>> {
        let mut state = self.state();
        let batch = state.batch(self.most);
        let more = state.items > 0;
        drop(state);
        if batch.is_empty() {
            return None;
        }
        if more {
            // Perhaps for another writer.
            self.come.notify_one();
        }
        let mut bytes: HashMap<String, usize> = HashMap::new();
        let mut items = Vec::with_capacity(batch.len());
        for (owner, item, size) in batch {
            *bytes.entry(owner).or_default() += size.bytes;
            items.push(item);
        }
        let under_way = UnderWay {
            waiting: self.clone(),
            bytes,
        };
        Some(Batch { items, under_way })
    }

    /// The same, and waits for it; none when nobody will ever bring anything more.
    pub(super) async fn next(&self) -> Option<Batch<T>> {
        loop {
            let come = self.come.notified();
            tokio::pin!(come);
            // Before the look, so that nothing comes unseen in between.
            come.as_mut().enable();
            if let Some(batch) = self.take() {
                return Some(batch);
            }
            if self.is_over() {
                return None;
            }
            come.await;
        }
    }

    fn is_over(&self) -> bool {
        let state = self.state();
        state.complete && state.items == 0
    }

    /// Nobody brings anything more.
    pub(super) fn complete(&self) {
        self.state().complete = true;
        self.come.notify_waiters();
    }

    /// A writer has ended. After the last, nobody waits for it.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        state.writers -= 1;
        if state.writers == 0 {
            let left = std::mem::take(&mut state.owners);
            state.turn.clear();
            state.items = 0;
            drop(state);
            drop(left);
        }
    }

    fn give_back(&self, bytes: &HashMap<String, usize>) {
        let mut state = self.state();
        for (name, bytes) in bytes {
            if let Some(owner) = state.owners.get_mut(name) {
                owner.under_way = owner.under_way.saturating_sub(*bytes);
                if owner.under_way == 0 && owner.items.is_empty() {
                    state.owners.remove(name);
                }
            }
        }
        let (more, complete) = (state.items > 0, state.complete);
        drop(state);
        if more {
            self.come.notify_one();
        } else if complete {
            // Who waits is to see that it is over.
            self.come.notify_waiters();
        }
    }
}

impl<T> State<T> {
    fn put(&mut self, name: &str, item: (T, Size)) {
        if let Some(owner) = self.owners.get_mut(name) {
            if owner.items.is_empty() {
                self.turn.push_back(name.to_owned());
            }
            owner.items.push_back(item);
            return;
        }
        let owner = Owner {
            items: VecDeque::from([item]),
            under_way: 0,
        };
        self.owners.insert(name.to_owned(), owner);
        self.turn.push_back(name.to_owned());
    }

    /// One item of each owner in turn, as many as fit. A statement takes at least one, however large,
    /// of an owner who has nothing under way.
    fn batch(&mut self, most: Size) -> Vec<(String, T, Size)> {
        let mut batch = Vec::new();
        let mut whole = Size { rows: 0, bytes: 0 };
        let mut passed_over = VecDeque::new();
        while whole.rows < most.rows {
            let Some(name) = self.turn.pop_front() else {
                break;
            };
            let Some(owner) = self.owners.get_mut(&name) else {
                continue;
            };
            let fits = |size: &Size| {
                let alone = batch.is_empty() && owner.under_way == 0;
                let together = whole.bytes.max(owner.under_way).saturating_add(size.bytes);
                alone || together <= most.bytes
            };
            let next = owner.items.front().map(|(_, size)| *size);
            let Some(size) = next.filter(fits) else {
                passed_over.push_back(name);
                continue;
            };
            let Some((item, _)) = owner.items.pop_front() else {
                continue;
            };
            owner.under_way += size.bytes;
            whole.rows += size.rows;
            whole.bytes += size.bytes;
            self.items -= 1;
            if !owner.items.is_empty() {
                self.turn.push_back(name.clone());
            }
            batch.push((name, item, size));
        }
        // It is their turn first, next time.
        passed_over.append(&mut self.turn);
        self.turn = passed_over;
        batch
    }
}

/// The items of a statement.
pub(super) struct Batch<T> {
    pub items: Vec<T>,
    /// Dropped when the statement has ended.
    pub under_way: UnderWay<T>,
}

/// Bytes of a statement, by owner; given back on drop.
pub(super) struct UnderWay<T> {
    waiting: Waiting<T>,
    bytes: HashMap<String, usize>,
}

impl<T> Drop for UnderWay<T> {
    fn drop(&mut self) {
        self.waiting.give_back(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Size = Size {
        rows: 10,
        bytes: 100,
    };

    fn push(waiting: &Waiting<u32>, owner: &str, item: u32, bytes: usize) {
        waiting.push(owner, item, Size { rows: 1, bytes }).unwrap();
    }

    #[test]
    fn owners_take_turns_and_keep_their_order() {
        let waiting = Waiting::new(100, MOST, 2);
        for item in 0..5 {
            push(&waiting, "large", item, 40);
        }
        push(&waiting, "small", 10, 1);
        push(&waiting, "small", 11, 1);
        let first = waiting.take().unwrap();
        assert_eq!(first.items, [0, 10, 1, 11]);
        assert!(waiting.take().is_none(), "its bytes are under way");
        push(&waiting, "small", 12, 1);
        let second = waiting.take().unwrap();
        assert_eq!(second.items, [12], "others go on");
        drop(first);
        assert_eq!(waiting.take().unwrap().items, [2, 3]);
        drop(second);
        assert_eq!(waiting.take().unwrap().items, [4]);
        assert!(waiting.state().owners.is_empty());
    }

    #[test]
    fn what_is_larger_than_a_statement_goes_alone() {
        let waiting = Waiting::new(100, MOST, 2);
        push(&waiting, "a", 0, 1);
        push(&waiting, "a", 1, 1_000);
        push(&waiting, "a", 2, 1);
        for expected in [0, 1, 2] {
            assert_eq!(waiting.take().unwrap().items, [expected]);
        }
    }

    #[test]
    fn the_room_is_bounded_and_ends_with_its_writers() {
        let waiting = Waiting::new(1, MOST, 1);
        push(&waiting, "a", 0, 1);
        let size = Size { rows: 1, bytes: 1 };
        assert_eq!(waiting.push("b", 1, size), Err(Closed::Full));
        waiting.leave();
        assert_eq!(waiting.push("b", 1, size), Err(Closed::Stopped));
        assert!(waiting.take().is_none());
    }

    #[tokio::test]
    async fn who_waits_is_woken_and_told_of_the_end() {
        let waiting = Waiting::new(10, MOST, 1);
        let (batch, ()) = tokio::join!(waiting.next(), async { push(&waiting, "a", 0, 1) });
        assert_eq!(batch.unwrap().items, [0]);
        push(&waiting, "a", 1, 1);
        waiting.complete();
        assert_eq!(waiting.next().await.unwrap().items, [1]);
        let (over, ()) = tokio::join!(waiting.next(), async { waiting.complete() });
        assert!(over.is_none());
    }

    #[tokio::test]
    async fn who_waits_for_what_another_has_under_way_hears_of_the_end() {
        let waiting = Waiting::new(10, MOST, 2);
        push(&waiting, "a", 0, 100);
        push(&waiting, "a", 1, 100);
        waiting.complete();
        let first = waiting.take().unwrap();
        let other = async {
            drop(first);
            drop(waiting.take().unwrap());
        };
        let (over, ()) = tokio::join!(waiting.next(), other);
        assert!(over.is_none());
    }
}
