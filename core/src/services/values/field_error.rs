//! The error of a value whose form the service cannot accept.

use thiserror::Error;

/// A field's value has a form that the service cannot accept. The error quotes no value, because
/// some values are secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the field `{field}` must be {form}")]
pub struct FieldError {
    field: &'static str,
    form: &'static str,
}

impl FieldError {
    /// Returns the field's name.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// Returns what the value must be.
    #[must_use]
    pub fn form(&self) -> &'static str {
        self.form
    }

    pub(in crate::services) const fn new(field: &'static str, form: &'static str) -> Self {
        Self { field, form }
    }

    /// Returns the value if it has the form.
    pub(in crate::services) fn require<T>(
        ok: bool,
        value: T,
        field: &'static str,
        form: &'static str,
    ) -> Result<T, Self> {
        if ok { Ok(value) } else { Err(Self::new(field, form)) }
    }
}
