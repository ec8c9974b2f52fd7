//! Boxes and shared pointers of stores, which are stores too.
//!
//! Owns the forwarding: a swap goes to the store inside.

use std::sync::Arc;

use imts_core::swap::{Swap, Swapped};

use super::{AsyncStore, Store, StoreError};
use crate::transport::BoxFuture;

/// A store that is chosen at run time. This is not written for every `Box<T>`, because a boxed
/// closure is a store already.
impl Store for Box<dyn Store + '_> {
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        (**self).swap(swap)
    }
}

/// A store that several clients share.
impl<T: Store + ?Sized> Store for Arc<T> {
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        (**self).swap(swap)
    }
}

/// A store that is chosen at run time. This is not written for every `Box<T>`, because a boxed
/// closure is a store already.
impl AsyncStore for Box<dyn AsyncStore + '_> {
    fn swap<'a>(&'a self, swap: &'a Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        (**self).swap(swap)
    }
}

/// A store that several clients share.
impl<T: AsyncStore + ?Sized> AsyncStore for Arc<T> {
    fn swap<'a>(&'a self, swap: &'a Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        (**self).swap(swap)
    }
}
