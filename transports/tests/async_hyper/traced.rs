//! What is told to `tracing`: every renewal, and no secret.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use imts::clock::{Clock, ManualClock};
use imts::services::transfer::{Fees, Originator};
use imts::{AsyncClient, Credentials, Outcome};
use imts_sandbox::{DEFAULT_AGENT, Front, Outage, Sandbox, Settings, Time};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use self::hunt::Hunt;
use crate::{builder, hyper};

#[allow(dead_code, reason = "it is shared with the core's own hunt")]
#[path = "../../../core/tests/canary/hunt.rs"]
mod hunt;

const SECRET: &str = "Right-Secret.TracedQ7xZvKwTn4";

/// Keeps all events, at every level, hyper-util's own events included.
#[derive(Clone, Default)]
struct Ear {
    lines: Arc<Mutex<Vec<String>>>,
    /// Asked for a token at each event: a listener may do that.
    client: Arc<Mutex<Option<AsyncClient>>>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
        let client = self.client.lock().unwrap().clone();
        if let Some(client) = client {
            client.phase(|_| ());
        }
    }
}

#[tokio::test]
async fn renewals_are_told_without_a_secret_and_a_listener_may_ask_the_client() {
    let ear = Ear::default();
    // With one subscriber alone, tracing takes an event's first thread for all: another test's, which
    // has none, would silence it here.
    let _another = tracing::Dispatch::new(Ear::default());
    let _listening = tracing::subscriber::set_default(ear.clone());
    let clock = ManualClock::default();
    let time = clock.clone();
    let mut settings = Settings::default();
    settings.quote_secrets = true;
    settings.agents = [(DEFAULT_AGENT.to_owned(), SECRET.to_owned())].into();
    let front = Front::builder(Sandbox::new(settings))
        .clock(move || Time::from_micros(time.now().wall.unix_micros()))
        .start()
        .unwrap();
    let client = builder(&front.url())
        .credentials(Credentials::new(DEFAULT_AGENT, SECRET).unwrap())
        .clock(clock.clone())
        .nonblocking(hyper().build())
        .unwrap();
    *ear.client.lock().unwrap() = Some(client.clone());

    let mut secrets = vec![SECRET.to_owned()];
    let token = || async {
        let bearer = client.token().await.unwrap();
        (bearer.epoch(), bearer.expose_token().to_owned())
    };
    secrets.push(token().await.1);
    let fees = Fees {
        originator_type: Originator::Person,
        target_country: "UZB".parse().unwrap(),
        amount_source: "15.4".parse().unwrap(),
        currency_source: "KZT".parse().unwrap(),
        currency_target: "UZS".parse().unwrap(),
        pg_sig: None,
    };
    assert!(matches!(client.call(&fees).await, Ok(Outcome::Done(_))));
    clock.advance(Duration::from_secs(60));
    let (epoch, _) = token().await;
    client.reject(epoch);
    front.sandbox().settings_mut().refuse_refresh = true;
    secrets.push(token().await.1);
    clock.advance(Duration::from_secs(901));
    front.sandbox().settings_mut().outage = Some(Outage::default());
    client.token().await.unwrap_err();
    *ear.client.lock().unwrap() = None;

    let saved = client.saved().unwrap().to_json();
    let saved = String::from_utf8_lossy(&saved);
    let refresh = saved.split("\"refresh\":{\"token\":\"").nth(1).unwrap();
    secrets.push(refresh.split('"').next().unwrap().to_owned());

    let lines = ear.lines.lock().unwrap().clone();
    let ours: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("imts ")).collect();
    for (line, words) in [
        (0, ["message=renewal started", "reason=\"no token\"", "purpose=sign-in", "epoch=0"]),
        (1, ["message=renewal ended", "outcome=\"granted\"", "epoch=1", "seconds="]),
        (2, ["message=token rejected", "epoch=1", "", ""]),
        (3, ["message=renewal started", "reason=\"rejected\"", "purpose=refresh", "epoch=0"]),
        (4, ["message=refresh of no use, signing in", "", "", ""]),
        (5, ["message=renewal ended", "outcome=\"granted\"", "epoch=2", "seconds="]),
        (6, ["message=renewal started", "reason=\"expired\"", "purpose=", "epoch=0"]),
        (7, ["message=backing off", "seconds=", "", ""]),
        (8, ["message=renewal ended", "outcome=\"unexpected\"", "status=503", "seconds="]),
    ] {
        assert!(words.iter().all(|word| ours[line].contains(word)), "{line}: {}", ours[line]);
    }
    assert_eq!(ours.len(), 9, "{ours:#?}");
    let mut hunt = Hunt::default();
    for secret in &secrets {
        hunt.add("a secret", secret);
    }
    assert_eq!(hunt.secrets(), 4);
    assert_eq!(hunt.find(&lines.join("\n")), [], "{lines:#?}");
}
