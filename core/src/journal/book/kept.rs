//! A book in as few pieces as possible, and a book made from such pieces.

use super::{Book, CallRecord, DoneCall};
use crate::time::Wall;

/// A piece of what a book keeps. A book that is [restored](Book::restore) from all pieces of
/// another permits what the other one permits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A call that was done, and is kept as a hash.
    Done(DoneCall),
    /// A call that is kept whole.
    Call(Box<CallRecord>),
    /// The highest number that was ever given to a call. It comes after all calls.
    Last(u64),
}

impl Book {
    /// Reduces the ended calls to what the guard must know, as if they had ended long ago.
    ///
    /// If a time is given, it also forgets the calls that were done before that time and are kept
    /// as hashes. The same intents **may be sent again**. The times are the recorded ones. If a
    /// clock was set back meanwhile, more is kept.
    pub fn compact(&mut self, done_since: Option<Wall>) {
        self.forget_all_but(0);
        if let Some(since) = done_since {
            self.done.forget_before(since);
        }
        let repeated = self.calls().filter(|call| self.is_repeated(call));
        self.repeated = repeated.map(|call| call.id).collect();
    }

    /// Whether another call of the same intent is known.
    fn is_repeated(&self, call: &CallRecord) -> bool {
        let key = call.key();
        self.of(&key).nth(1).is_some() || self.done.newest(&key).is_some()
    }

    /// Returns how many calls that were done are kept only as hashes.
    #[must_use]
    pub fn hashed(&self) -> usize {
        self.done.len()
    }

    /// Iterates over what it keeps, to write it down: first the hashes in the order of their
    /// numbers, then the whole calls. It does not include which whole calls ended recently:
    /// [compact](Book::compact) the book first.
    pub fn kept(&self) -> impl Iterator<Item = Kept> {
        let done = self.done.in_order();
        let calls = self.calls().map(|call| Kept::Call(Box::new(call.clone())));
        let last = Kept::Last(self.next_id().saturating_sub(1));
        done.into_iter().map(|call| Kept::Done(*call)).chain(calls).chain([last])
    }

    /// Adds a piece of another book. Returns whether the piece may follow those before it.
    #[must_use]
    pub fn restore(&mut self, kept: Kept) -> bool {
        match kept {
            Kept::Done(call) => {
                self.last = self.last.max(call.id);
                self.done.insert(call);
                call.id > 0
            }
            Kept::Call(call) => {
                let (id, is_done_too) = (call.id, self.done.newest(&call.key()).is_some());
                self.last = self.last.max(id);
                let is_new = self.put(*call);
                self.repeated.extend(is_done_too.then_some(id));
                id > 0 && is_new
            }
            Kept::Last(last) => {
                let is_highest = last >= self.last;
                self.last = last;
                is_highest
            }
        }
    }
}
