//! The receiver of revocations: one answer whatever it hears, and what it does to stores.

use std::sync::Arc;

use imts::secret::TokenId;
use imts::store::Store;
use imts::users::{Revocations, Users};
use imts::{Client, Keep, MemoryStore, Saved, TokenError};
use imts_sandbox::DEFAULT_CLIENT;

use crate::{World, builder, code, in_process, with};

/// Signs a user in, and returns the id of the tokens.
fn signs_in(world: &World, client: &Client) -> TokenId {
    let browser = |request: &http::Request<Vec<u8>>| world.handle(request);
    let code = code(&in_process(), &world.transport(), browser);
    client.sign_in(with(&code), Keep::Once);
    client.token().unwrap();
    client.saved().unwrap().token_id().unwrap().clone()
}

#[test]
fn a_revocation_ends_the_session_of_its_user_alone_and_empties_its_entry_alone() {
    let world = World::new();
    let store = Arc::new(MemoryStore::with_clock(world.clock.clone()));
    let (made, shared) = (world.clone(), Arc::clone(&store));
    let users: Users<Client> = Users::new(move |user| {
        builder(in_process(), user, made.clock.clone())
            .store(Arc::clone(&shared))
            .blocking(made.transport())
    });
    let (one, two) = (users.for_user("one").unwrap(), users.for_user("two").unwrap());
    let (first, second) = (signs_in(&world, &one), signs_in(&world, &two));
    assert_ne!(first, second);
    let state = |user: &str| -> Option<Saved> {
        let look =
            imts::Swap::look(in_process().as_str(), DEFAULT_CLIENT, std::time::Duration::MAX);
        match store.swap(&look.of_user("freedom-id", user)).unwrap() {
            imts::Swapped::Other(found) => found.saved().cloned(),
            done => panic!("{done:?}"),
        }
    };
    assert_eq!(state("one").unwrap().token_id(), Some(&first));
    assert_eq!(state("two").unwrap().subject(), Some("two"));

    let revocations = Revocations::new(users.clone());
    let requests = world.count("grants");
    let body = format!(r#"{{"id":"{}"}}"#, first.expose());
    let mut answers = Vec::new();
    let unknown = br#"{"id":"01953bd1-a6d3-739e-8aa3-83e881f09055"}"#;
    let bodies: [&[u8]; 5] = [body.as_bytes(), body.as_bytes(), unknown, b"", b"{\"id\":1}"];
    for (number, body) in bodies.into_iter().enumerate() {
        let (answer, revoked) = revocations.receive(body);
        assert_eq!(revoked.len(), usize::from(number == 0), "{number}");
        for client in revoked {
            assert!(matches!(client.token(), Err(TokenError::SignIn { .. })));
        }
        answers.push(format!("{answer:?}"));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert!(answers[0].contains("200") && answers[0].contains("body: []"), "{}", answers[0]);
    assert!(state("one").unwrap().is_empty(), "its entry holds no token");
    assert!(!state("two").unwrap().is_empty());
    assert!(two.token().is_ok());
    assert_eq!(world.count("grants"), requests, "nothing was sent");
    // The user signs in anew.
    let third = signs_in(&world, &one);
    assert!(third != first && one.token().is_ok());
}

#[test]
fn a_hook_is_given_an_empty_state_to_save() {
    let world = World::new();
    let saved: Arc<std::sync::Mutex<Vec<Saved>>> = Arc::default();
    let kept = Arc::clone(&saved);
    let client = builder(in_process(), "one", world.clock.clone())
        .on_grant(move |state| {
            kept.lock().unwrap().push(state.clone());
            Ok(())
        })
        .blocking(world.transport())
        .unwrap();
    let id = signs_in(&world, &client);
    assert!(client.revoked(&id) && !client.revoked(&id));
    assert!(matches!(client.token(), Err(TokenError::SignIn { .. })));
    let saved = saved.lock().unwrap();
    assert_eq!(saved.iter().map(Saved::is_empty).collect::<Vec<_>>(), [false, true]);
}
