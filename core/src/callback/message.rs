//! A verified message, and what its signature leaves in doubt.
//!
//! Owns the checks that each kind of message has in common. Does not know what follows from them.

use super::doubt::Doubt;
use super::known::{Known, Shape};
use crate::sign::pg_sig::{FieldError, PgValue, Salt, VerifiedFields};

/// The fields of one message to one URL.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) fields: VerifiedFields,
    doubt: Option<Doubt>,
}

impl Message {
    /// Looks at the fields: each must be known, stand there once, and have the shape of its name.
    pub(super) fn new(fields: VerifiedFields, known: &[Known], own: &[String]) -> Self {
        let doubt = Self::doubt_of(&fields, known, own);
        Self { fields, doubt }
    }

    fn doubt_of(fields: &VerifiedFields, known: &[Known], own: &[String]) -> Option<Doubt> {
        if fields.has_separator() {
            return Some(Doubt::Separator);
        }
        let names = known.iter().map(|(name, _)| *name).chain(own.iter().map(String::as_str));
        if !fields.has_only(&names.collect::<Vec<_>>()) {
            return Some(Doubt::Names);
        }
        let misfit = known.iter().find(|(name, shape)| match fields.text(name) {
            Ok(text) => !shape.fits(text),
            Err(FieldError::Missing) => false,
            Err(_) => true,
        });
        misfit.map(|(field, _)| Doubt::Shape { field })
    }

    /// What is in doubt about the message, if something is.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        self.doubt
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, FieldError> {
        self.fields.text(name)
    }

    /// A field that is a number; `None` if it is not one.
    pub(super) fn number(&self, name: &str) -> Option<&str> {
        self.text(name).ok().filter(|text| Shape::Number.fits(text))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &PgValue)> {
        self.fields.iter()
    }

    /// The salt, if it can be sent back.
    pub(super) fn salt(&self) -> Option<Salt> {
        let salt = self.text("pg_salt").ok()?;
        // XML cannot carry these two.
        if salt.contains(['\u{fffe}', '\u{ffff}']) { None } else { Salt::new(salt).ok() }
    }
}
