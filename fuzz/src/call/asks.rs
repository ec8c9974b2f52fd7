//! What callers ask for: a few intents that are easily mistaken for one another, each spelled in
//! several ways; and requests that no journal knows.

use imts_core::journal::{Despite, IntentKey};

use super::operations::{PLACES, Place};
use crate::choices::Choices;

/// Each is the beginning of another one, for code that compares by prefix.
pub(super) const AGENTS: [&str; 2] = ["agent-1", "agent-12"];
const REFERENCES: [&str; 3] = ["17", "170", "1"];

/// How many of the places create something or move money, and come first.
const WRITES: usize = 7;

/// The identity of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) agent: usize,
    pub(super) place: usize,
    reference: usize,
}

impl Key {
    /// Something to be recorded: mostly one of the first two places.
    pub(super) fn by(choices: &mut dyn Choices) -> Self {
        let place = if choices.one_in(4) { choices.index(WRITES) } else { choices.index(2) };
        Self { place, ..Self::anywhere(choices) }
    }

    fn anywhere(choices: &mut dyn Choices) -> Self {
        let (agent, place) = (choices.index(AGENTS.len()), choices.index(PLACES.len()));
        Self { agent, place, reference: choices.index(REFERENCES.len()) }
    }

    pub(super) fn reference(self) -> &'static str {
        REFERENCES[self.reference]
    }

    pub(super) fn place(self) -> &'static Place {
        &PLACES[self.place]
    }

    /// The name under which the service knows it: another one for each intent.
    pub(super) fn id(self) -> String {
        match self.place().has_uuid() {
            true => {
                uuid(u64::try_from(self.agent * REFERENCES.len() + self.reference).unwrap_or(0))
            }
            false => format!("{}-{}", AGENTS[self.agent], self.reference()),
        }
    }

    /// The key under which it is under way.
    pub(super) fn intent(self) -> IntentKey {
        IntentKey::Of {
            url: url(self.place()),
            agent: AGENTS[self.agent].to_owned(),
            reference: self.reference().to_owned(),
        }
    }
}

/// Where a place is.
pub(super) fn url(place: &Place) -> String {
    format!("https://sandbox.example{}", place.path)
}

fn uuid(number: u64) -> String {
    format!("5f0c3c1e-7b0f-4a51-9d0b-{number:012}")
}

/// One request of one caller.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) key: Key,
    /// What the service distinguishes requests by.
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) is_typed: bool,
    /// What it means, apart from the key.
    pub(super) amount: &'static str,
    pub(super) body: String,
    pub(super) despite: Option<Despite>,
}

impl Ask {
    /// An intent that a journal knows.
    pub(super) fn by(key: Key, choices: &mut dyn Choices) -> Self {
        let amount = match choices.below(8) {
            0 => "15.40",
            1 => "99",
            _ => "15.4",
        };
        let name = key.place().names[usize::from(choices.one_in(4))];
        let spelling = choices.below(8);
        Self { is_typed: choices.one_in(4), ..Self::spelled(key, key.id(), name, amount, spelling) }
    }

    /// A request that no other one is like, of any operation.
    pub(super) fn alone(number: u64, choices: &mut dyn Choices) -> Self {
        let key = Key::anywhere(choices);
        let id = match key.place().has_uuid() {
            true => uuid(1_000 + number),
            false => format!("alone-{number}"),
        };
        let name = key.place().names[usize::from(choices.one_in(2))];
        let spelling = choices.below(4);
        Self { is_typed: choices.one_in(2), ..Self::spelled(key, id, name, "15.4", spelling) }
    }

    /// The same in its plain form.
    pub(super) fn plain(key: Key) -> Self {
        Self::spelled(key, key.id(), key.place().names[0], "15.4", 0)
    }

    fn spelled(
        key: Key,
        id: String,
        name: &'static str,
        amount: &'static str,
        spelling: u64,
    ) -> Self {
        let (amount, body) = match key.place().body(&id) {
            Some(body) => ("15.4", body),
            None => (amount, spelled(&id, amount, spelling)),
        };
        Self { key, id, name, is_typed: false, amount, body, despite: None }
    }

    /// Whether its bytes differ from those of the plain form, and its meaning does not.
    pub(super) fn is_respelled(&self) -> bool {
        self.body != Self::spelled(self.key, self.id.clone(), self.name, self.amount, 0).body
    }
}

fn spelled(id: &str, amount: &str, spelling: u64) -> String {
    match spelling {
        0 => format!(r#"{{"amount":"{amount}","client_uuid":"{id}"}}"#),
        1 => format!("{{ \"amount\" : \"{amount}\",\n\t\"client_uuid\" : \"{id}\" }}"),
        2 => {
            let (first, rest) = (u32::from(amount.as_bytes()[0]), &amount[1..]);
            format!(r#"{{"amount":"\u{first:04x}{rest}","client_uuid":"{id}"}}"#)
        }
        _ => format!(r#"{{"client_uuid":"{id}","amount":"{amount}"}}"#),
    }
}
