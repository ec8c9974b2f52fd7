//! What callers ask for: a few intents that are easily mistaken for one another, each spelled in
//! several ways.

use imts_core::journal::Despite;
use imts_sandbox::Operation;

use crate::schedule::Dice;

/// Each is the beginning of another one, for code that compares by prefix.
pub(crate) const AGENTS: [&str; 2] = ["agent-1", "agent-12"];
const REFERENCES: [&str; 3] = ["17", "170", "1"];

/// An operation, under two names that lead to one path.
pub(crate) struct Place {
    pub(crate) path: &'static str,
    pub(crate) names: [&'static str; 2],
    pub(crate) operation: Operation,
}

pub(crate) const PLACES: [Place; 2] = [
    Place { path: "/pay", names: ["confirm", "payout-confirm"], operation: Operation::Confirm },
    Place {
        path: "/pay/person",
        names: ["create-person", "create-business"],
        operation: Operation::CreatePerson,
    },
];

/// The identity of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) agent: usize,
    pub(crate) place: usize,
    reference: usize,
}

impl Key {
    pub(crate) fn by(dice: &mut Dice) -> Self {
        Self {
            agent: dice.below(AGENTS.len()),
            place: dice.below(PLACES.len()),
            reference: dice.below(REFERENCES.len()),
        }
    }

    pub(crate) fn reference(self) -> &'static str {
        REFERENCES[self.reference]
    }

    pub(crate) fn place(self) -> &'static Place {
        &PLACES[self.place]
    }

    /// The name under which the ledger knows it: another one for each intent.
    pub(crate) fn id(self) -> String {
        format!("{}-{}", AGENTS[self.agent], self.reference())
    }
}

/// One request of one caller.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) key: Key,
    pub(crate) name: &'static str,
    /// What it means, apart from the key.
    pub(crate) amount: &'static str,
    pub(crate) body: String,
    pub(crate) despite: Option<Despite>,
}

impl Ask {
    pub(crate) fn by(key: Key, dice: &mut Dice) -> Self {
        let amount = match dice.below(8) {
            0 => "15.40",
            1 => "99",
            _ => "15.4",
        };
        let name = key.place().names[usize::from(dice.one_in(4))];
        Self { key, name, amount, body: spelled(&key.id(), amount, dice.below(8)), despite: None }
    }

    /// The same in its plain form.
    pub(crate) fn plain(key: Key) -> Self {
        let (name, amount) = (key.place().names[0], "15.4");
        Self { key, name, amount, body: spelled(&key.id(), amount, 0), despite: None }
    }

    /// Whether its bytes differ from those of the plain form, and its meaning does not.
    pub(crate) fn is_respelled(&self) -> bool {
        self.body != spelled(&self.key.id(), self.amount, 0)
    }
}

fn spelled(id: &str, amount: &str, spelling: usize) -> String {
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
