//! The kinds of stores that the suite runs over.
//!
//! To add one: write a [`Place`] for it, and its line in [`kinds`].

use std::sync::Arc;

use imts::{MemoryStore, Store};

/// One kind of store.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Makes a place of its own, in which nothing is stored.
    pub(crate) place: fn() -> Box<dyn Place>,
    /// Whether a place keeps the sessions of several agents. If not, it answers the second agent
    /// with an error.
    pub(crate) keeps_many: bool,
}

/// Where one store keeps what it has, such as a file. It is removed when this is dropped.
pub(crate) trait Place {
    /// Opens the store once more, as another process does.
    fn open(&self) -> Box<dyn Store>;
}

/// Every kind that the features of this build have.
pub(crate) fn kinds() -> Vec<Kind> {
    vec![Kind { name: "memory", place: || Box::new(Memory::default()), keeps_many: true }]
}

#[derive(Default)]
struct Memory(Arc<MemoryStore>);

impl Place for Memory {
    fn open(&self) -> Box<dyn Store> {
        Box::new(Arc::clone(&self.0))
    }
}
