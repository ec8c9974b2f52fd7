//! Whose tokens a client has, if the service has a session for each user.
//!
//! Owns the user's name alone. Does not know who the user is to the service.

use super::Builder;

impl Builder {
    /// Names the user whose tokens the client has, for a service with a session for each user. A
    /// store then has an entry for each, and a state of another user is refused. It must be a name
    /// that the integrator has for the user. See [`Users`](crate::users::Users).
    #[must_use]
    pub fn subject(self, user: &str) -> Self {
        Self { subject: Some(user.to_owned()), ..self }
    }
}
