//! Operations that are at another host than their service.
//!
//! Owns where they are. Does not know which operations those are.

use super::{Catalogue, CatalogueError, OperationInfo};
use crate::endpoint::Endpoint;

impl Catalogue {
    /// Sets where an operation is, if that is not where the service is. **The session's token then goes
    /// to that host.** Plain `http` may go to this machine alone.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::PlainHost`] if the endpoint is plain `http` to another machine;
    /// [`CatalogueError::NoSuchOperation`] if the name is not known.
    pub fn set_endpoint(&mut self, name: &str, endpoint: Endpoint) -> Result<(), CatalogueError> {
        let entry = self.entry_mut(name)?;
        if endpoint.plain_host().is_some() {
            return Err(CatalogueError::PlainHost);
        }
        entry.endpoint = Some(endpoint);
        Ok(())
    }

    /// The same operations. Those that are at another host are at this one, if calls may go there.
    pub(crate) fn with_endpoint(mut self, endpoint: &Endpoint) -> Self {
        let may_go = endpoint.plain_host().is_none();
        for entry in self.0.iter_mut().filter(|entry| entry.needs_endpoint && may_go) {
            entry.endpoint = Some(endpoint.clone());
        }
        self
    }
}

impl OperationInfo {
    /// Returns where it is, if that was set and is not where the service is.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// Returns whether it is at another host than the service. It can be called once that is set.
    #[must_use]
    pub fn needs_endpoint(&self) -> bool {
        self.needs_endpoint
    }
}
