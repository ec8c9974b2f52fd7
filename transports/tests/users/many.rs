//! Ten thousand users: what each costs, and that they do not disturb one another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imts::users::Users;
use imts::{Client, MemoryStore, TokenError};

use crate::{World, builder, in_process};

#[test]
fn all_who_ask_for_one_user_get_one_client_and_a_forgotten_user_is_built_anew() {
    let world = World::new();
    let built = Arc::new(AtomicUsize::new(0));
    let (made, count) = (world.clone(), Arc::clone(&built));
    let users: Users<Client> = Users::new(move |user| {
        count.fetch_add(1, Ordering::Relaxed);
        builder(in_process(), user, made.clock.clone()).blocking(made.transport())
    });
    assert!(users.is_empty());
    for user in ["a", "b", "a"] {
        users.for_user(user).unwrap();
    }
    assert_eq!((users.len(), built.load(Ordering::Relaxed)), (2, 2));
    assert!(users.forget("a").is_some() && users.forget("a").is_none());
    users.for_user("a").unwrap();
    assert_eq!((users.len(), built.load(Ordering::Relaxed)), (2, 3));
}

/// Bytes of this process that are in memory.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

#[test]
#[cfg(target_os = "linux")]
fn ten_thousand_users_take_less_than_sixteen_kilobytes_each_and_no_thread() {
    let world = World::new();
    let store = Arc::new(MemoryStore::with_clock(world.clock.clone()));
    let (made, transport) = (world.clone(), Arc::new(world.transport()));
    let users: Users<Client> = Users::new(move |user| {
        builder(in_process(), user, made.clock.clone())
            .store(Arc::clone(&store))
            .blocking(Arc::clone(&transport))
    });
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    users.for_user("first").unwrap();
    let (before, running) = (resident(), threads());
    for user in 0..10_000 {
        users.for_user(&format!("user-{user}")).unwrap();
    }
    let each = (resident() - before) / 10_000;
    println!("{each} bytes for each user");
    assert!(each < 16_384, "{each} bytes for each user");
    assert!(threads() <= running + 4, "other tests may have some");
    assert_eq!(users.len(), 10_001);
    let client = users.for_user("user-7").unwrap();
    assert!(matches!(client.token(), Err(TokenError::SignIn { .. })), "it asks for a code");
}
