//! Faults of callbacks: what a receiver must withstand.

use serde::{Deserialize, Serialize};

use crate::fault::When;
use crate::outbox::MessageKind;
use crate::pg_sig::Fields;

/// Says which callbacks have a fault, and which fault. All rules that apply count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackRule {
    /// The kind of message that the rule is about; `None` means any.
    #[serde(default)]
    pub kind: Option<MessageKind>,
    /// Which of the messages, counted from 1 since the rules were set.
    #[serde(default)]
    pub when: When,
    /// What happens to them.
    pub fault: CallbackFault,
}

impl CallbackRule {
    /// Creates a rule by which every message of this kind has this fault.
    #[must_use]
    pub fn always(kind: MessageKind, fault: CallbackFault) -> Self {
        Self { kind: Some(kind), when: When::Always, fault }
    }
}

/// What happens to a callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CallbackFault {
    /// It is sent so many times more, although it was answered with 200.
    Repeats(u32),
    /// So many answers get lost: the sandbox treats them as if none had come.
    LostAnswers(u32),
    /// It is sent so many seconds later, so that later messages come before it.
    DelayedS(u32),
    /// Its signature is wrong.
    WrongSignature,
    /// It names another order, and is signed rightly.
    OtherOrder,
    /// A field has another value, or is missing (`null`), and the message is signed rightly. With
    /// this, an amount is missing, `pg_can_reject` is 0, or a value has a `;`.
    Field {
        /// The field's name.
        name: String,
        /// Its value.
        value: Option<String>,
    },
    /// A field has another name, and the message is signed rightly.
    Renamed {
        /// The name that it has.
        from: String,
        /// The name that it gets.
        to: String,
    },
    /// The payer's name is `I;AMOUNT;CURRENCY;ORDER`, and the message that was signed with it is split
    /// anew: another order of another amount, with the same signature.
    Resplit {
        /// The other amount.
        amount: String,
        /// The other order.
        order_id: String,
    },
}

impl When {
    /// Returns whether this picks the message with this number.
    pub(super) fn picks(self, number: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Nth(nth) => number == nth,
            Self::Every(every) => every > 0 && number.is_multiple_of(every),
            // Spread evenly and without a seed: the rules alone decide a run.
            Self::Percent(percent) => {
                let before = (number - 1) * u64::from(percent) / 100;
                number * u64::from(percent) / 100 > before
            }
        }
    }
}

/// Changes the fields before they are signed.
pub(super) fn change(fields: &mut Fields, fault: &CallbackFault) {
    match fault {
        CallbackFault::OtherOrder => {
            for (_, value) in fields.iter_mut().filter(|(name, _)| name == "pg_order_id") {
                value.push_str("-other");
            }
        }
        CallbackFault::Field { name, value } => {
            let known = fields.iter_mut().find(|(known, _)| known == name);
            match (known, value) {
                (Some((_, place)), Some(value)) => place.clone_from(value),
                (None, Some(value)) => fields.push((name.clone(), value.clone())),
                (_, None) => fields.retain(|(known, _)| known != name),
            }
        }
        CallbackFault::Renamed { from, to } => {
            for (name, _) in fields.iter_mut().filter(|(name, _)| name == from) {
                name.clone_from(to);
            }
        }
        CallbackFault::Resplit { amount, order_id } => {
            let currency = value(fields, "pg_currency");
            let owner = format!("I;{amount};{currency};{order_id}");
            change(fields, &CallbackFault::Field { name: OWNER.to_owned(), value: Some(owner) });
        }
        _ => {}
    }
}

/// Changes the message after it was signed.
pub(super) fn forge(fields: &mut Fields, fault: &CallbackFault) {
    match fault {
        CallbackFault::WrongSignature => {
            for (_, signature) in fields.iter_mut().filter(|(name, _)| name == "pg_sig") {
                let last = if signature.ends_with('0') { '1' } else { '0' };
                signature.pop();
                signature.push(last);
            }
        }
        CallbackFault::Resplit { .. } => resplit(fields),
        _ => {}
    }
}

/// Gives the values other names, in the same order: the signature stays right. What stands before the
/// payer's name goes under names that sort before `pg_amount`; what stands behind it, up to the order's
/// number, under names that sort behind `pg_order_id`.
fn resplit(fields: &mut Fields) {
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut anew = Fields::new();
    let (mut before, mut behind) = ('a'..='l', 'a'..='z');
    let owner = fields.iter().position(|(name, _)| name == OWNER).unwrap_or(fields.len());
    for (place, (name, value)) in fields.drain(..).enumerate() {
        let mut split = value.splitn(4, ';').map(str::to_owned);
        if name.as_str() == "pg_sig" || !name.starts_with("pg_") || name.as_str() > "pg_order_id" {
            anew.push((name, value));
        } else if place < owner {
            anew.extend(before.next().map(|letter| (format!("pg_a{letter}"), value)));
        } else if place == owner {
            anew.extend(
                split
                    .next()
                    .zip(before.next())
                    .map(|(part, letter)| (format!("pg_a{letter}"), part)),
            );
            for name in ["pg_amount", "pg_currency", "pg_order_id"] {
                anew.extend(split.next().map(|part| (name.to_owned(), part)));
            }
        } else {
            anew.extend(behind.next().map(|letter| (format!("pg_order_id{letter}"), value)));
        }
    }
    *fields = anew;
}

fn value(fields: &Fields, name: &str) -> String {
    let found = fields.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

const OWNER: &str = "pg_card_owner";
