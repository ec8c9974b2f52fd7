//! Which settings of a store make a client.

use std::sync::Arc;

use imts::StoreError;
use imts::builder::BuildError;
use imts::swap::Swap;

use super::World;

#[test]
fn a_store_and_a_hook_exclude_each_other() {
    let world = World::default();
    let both = || world.builder().store(Arc::clone(&world.store)).on_grant(|_| Ok(()));
    let error = both().blocking(world.transport()).unwrap_err();
    assert!(matches!(error, BuildError::TwoStores), "{error:?}");
}

#[test]
fn a_store_needs_an_agent() {
    let world = World::default();
    let builder = || world.nameless().store(Arc::clone(&world.store));
    let error = builder().blocking(world.transport()).unwrap_err();
    assert!(matches!(error, BuildError::NoAgent), "{error:?}");
    drop(builder().agent("somebody").blocking(world.transport()).unwrap());
    let other = world.builder().agent("somebody").store(Arc::clone(&world.store));
    let error = other.blocking(world.transport()).unwrap_err();
    assert!(matches!(error, BuildError::TwoAgents), "{error:?}");
}

#[test]
fn a_blocking_client_takes_no_store_that_must_be_awaited() {
    let world = World::default();
    let store = |_: &Swap| std::future::ready(Err(StoreError::TimedOut));
    let error = world.builder().async_store(store).blocking(world.transport()).unwrap_err();
    assert!(matches!(error, BuildError::AsyncStore), "{error:?}");
}
