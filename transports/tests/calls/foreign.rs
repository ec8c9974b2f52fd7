//! A call is a value and may come from anywhere: from another client, or from no client at all.

use std::sync::{Arc, OnceLock};

use imts::call::{CallError, Ending};
use imts::operation::Json;
use imts::time::Mono;
use imts::{AsyncClient, Client, Credentials, Endpoint, Keep, Outcome, Recovery, Session};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET};

use crate::{Notes, World, confirm, known_service, policy, run};

fn json() -> Json {
    Json::parse(r#"{"client_uuid": "a"}"#).unwrap()
}

#[test]
fn a_call_for_another_service_gets_no_token_and_is_not_sent() {
    let world = World::new();
    let session =
        |url| Session::new(Endpoint::https(url).unwrap(), known_service(), policy()).unwrap();
    let elsewhere = || {
        let session = session("https://elsewhere.example");
        session.call(&confirm("a"), Mono::from_micros(u64::MAX)).unwrap()
    };
    let client = world.builder().blocking(world.transport()).unwrap();
    let tasks = world.builder().nonblocking(world.task_transport()).unwrap();
    for outcome in [client.perform(elsewhere()).unwrap(), run(tasks.perform(elsewhere())).unwrap()]
    {
        let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
        assert!(matches!(failed.why(), CallError::NoToken(_, Recovery::Fix)), "{failed:?}");
        assert!(failed.why().to_string().contains("another service"), "{}", failed.why());
        // Nor does its permit lead anywhere else.
        let again = client.call_again(failed.into_permit().unwrap()).unwrap();
        assert_eq!(again.ending(), Ending::NotSent);
    }
    assert!(world.sent().is_empty());
    let here = session("https://sandbox.example");
    let call = here.call(&confirm("a"), Mono::from_micros(u64::MAX)).unwrap();
    assert_eq!(client.perform(call).unwrap().ending(), Ending::Done);
}

#[test]
fn money_is_written_down_by_the_client_that_sends_it_whoever_made_the_call() {
    let (world, notes) = (World::new(), Notes::default());
    let without = world.builder().blocking(world.transport()).unwrap();
    let with = world.builder().journal(notes.clone());
    let with = with.blocking(world.transport()).unwrap();
    let call = without.call_named("confirm", &json()).unwrap().with_reference("a");
    assert_eq!(with.perform(call).unwrap().ending(), Ending::Done);
    assert_eq!(notes.lines(), ["intent a", "sending 1", "ended 1 done"]);
    let tasks = world.builder().journal(notes.clone());
    let tasks = tasks.nonblocking(world.task_transport()).unwrap();
    let call = without.call_named("confirm", &json()).unwrap().with_reference("b");
    assert_eq!(run(tasks.perform(call)).unwrap().ending(), Ending::Done);
    assert_eq!(notes.lines()[3..], ["intent b", "sending 2", "ended 2 done"]);
}

#[test]
fn a_call_that_is_to_be_written_down_is_not_sent_by_a_client_without_a_journal() {
    let world = World::new();
    let with = world.builder().journal(Notes::default());
    let with = with.blocking(world.transport()).unwrap();
    let without = world.builder().blocking(world.transport()).unwrap();
    let call = with.call_named("confirm", &json()).unwrap().with_reference("a");
    let outcome = without.perform(call).unwrap();
    let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
    assert!(matches!(failed.why(), CallError::Journal(_)), "{failed:?}");
    assert!(world.sent().is_empty());
}

#[test]
fn a_client_that_is_signed_out_or_closed_sends_no_money() {
    let world = World::new();
    let client = world.builder().blocking(world.transport()).unwrap();
    client.sign_out();
    assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::NotSent);
    client.sign_in(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap(), Keep::Always);
    assert_eq!(client.call(&confirm("b")).unwrap().ending(), Ending::Done);
    client.close(std::time::Duration::from_secs(1));
    let call = client.call(&confirm("c")).unwrap();
    assert_eq!((call.ending(), world.applied("c")), (Ending::NotSent, 0));
}

#[test]
fn a_call_waits_for_the_token_of_its_own_agent_and_takes_no_other() {
    for by_task in [false, true] {
        let (world, notes) = (World::new(), Notes::default());
        world.sandbox().settings_mut().agents.insert("other".to_owned(), "secret".to_owned());
        let others = || Credentials::new("other", "secret").unwrap();
        let builder = world.builder().journal(notes.clone());
        // Another agent signs in while the first one's token is on its way.
        let outcome = if by_task {
            let own = Arc::<OnceLock<AsyncClient>>::default();
            let (this, service) = (Arc::clone(&own), world.clone());
            let send = move |request: http::Request<imts::secret::Body>,
                             _: imts::transport::Bounds| {
                let reply = service.exchange(request);
                this.get().unwrap().sign_in(others(), Keep::Always);
                std::future::ready(reply)
            };
            let client = builder.nonblocking((send, crate::timer)).unwrap();
            own.set(client.clone()).unwrap();
            run(client.call(&confirm("a")))
        } else {
            let own = Arc::<OnceLock<Client>>::default();
            let (this, service) = (Arc::clone(&own), world.clone());
            let send = move |request: http::Request<imts::secret::Body>,
                             _: imts::transport::Bounds| {
                let reply = service.exchange(request);
                this.get().unwrap().sign_in(others(), Keep::Always);
                reply
            };
            let client = builder.blocking(send).unwrap();
            own.set(client.clone()).unwrap();
            client.call(&confirm("a"))
        };
        let Outcome::Failed(failed) = outcome.unwrap() else { panic!("by a task: {by_task}") };
        assert!(failed.why().to_string().contains("another agent"), "{}", failed.why());
        assert_eq!(notes.lines(), ["intent a", "ended 1 not_sent"]);
        assert!(world.sent().is_empty());
    }
}
