//! What a catalogue's operations need to be signed, repeated and asked for, set by name.
//!
//! Owns the setters, for a reader of service files. Does not know what a call does with the facts.

use http::{HeaderName, HeaderValue};

use super::{Catalogue, CatalogueError};
use crate::operation::{AskedBy, Auth, PgForm, Repeat};
#[cfg(feature = "jws")]
use crate::sign::jws::JwsForm;

impl Catalogue {
    /// Sets how an operation's request says who sends it.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::NoSuchOperation`] if the name is not known.
    pub fn set_auth(&mut self, name: &str, auth: Auth) -> Result<(), CatalogueError> {
        self.entry_mut(name)?.auth = auth;
        Ok(())
    }

    /// Sets a request header that each request of an operation has, such as `X-Action`.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::Header`] if the protocol sets the header, or if name or value is not one of
    /// a header; [`CatalogueError::NoSuchOperation`] if the name is not known.
    pub fn set_header(
        &mut self,
        name: &str,
        header: &str,
        value: &str,
    ) -> Result<(), CatalogueError> {
        let unfit = || CatalogueError::Header { name: header.to_owned() };
        let header_name = own_header(header)?;
        let value = HeaderValue::from_str(value).map_err(|_| unfit())?;
        let headers = &mut self.entry_mut(name)?.conduct_mut().headers;
        headers.retain(|(known, _)| *known != header_name);
        headers.push((header_name, value));
        Ok(())
    }

    /// Sets the request header that carries a call's reference, such as `X-Request-Id`.
    ///
    /// # Errors
    ///
    /// As [`set_header`](Catalogue::set_header).
    pub fn set_reference_header(&mut self, name: &str, header: &str) -> Result<(), CatalogueError> {
        let header = own_header(header)?;
        self.entry_mut(name)?.conduct_mut().reference_header = Some(header);
        Ok(())
    }

    /// Sets what the service does with a repeated request of an operation.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::NoSuchOperation`] if the name is not known.
    pub fn set_repeat(&mut self, name: &str, repeat: Repeat) -> Result<(), CatalogueError> {
        self.entry_mut(name)?.conduct_mut().repeat = repeat;
        Ok(())
    }

    /// Sets the operation that says what became of a call of this one.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::NoSuchOperation`] if one of the two names is not known.
    pub fn set_asked_by(&mut self, name: &str, asked_by: AskedBy) -> Result<(), CatalogueError> {
        self.entry_mut(asked_by.operation())?;
        self.entry_mut(name)?.conduct_mut().asked_by = Some(asked_by);
        Ok(())
    }

    /// Sets the form of an operation's JWS, if it differs from the service's.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::NoSuchOperation`] if the name is not known.
    #[cfg(feature = "jws")]
    pub fn set_jws_form(&mut self, name: &str, form: JwsForm) -> Result<(), CatalogueError> {
        self.entry_mut(name)?.conduct_mut().jws_form = Some(form);
        Ok(())
    }

    /// Sets how an operation's messages are written and signed with `pg_sig`.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::NoSuchOperation`] if the name is not known.
    pub fn set_pg_form(&mut self, name: &str, form: PgForm) -> Result<(), CatalogueError> {
        self.entry_mut(name)?.conduct_mut().pg_form = Some(form);
        Ok(())
    }
}

/// A header that an integrator may set.
fn own_header(name: &str) -> Result<HeaderName, CatalogueError> {
    let unfit = || CatalogueError::Header { name: name.to_owned() };
    let header = HeaderName::try_from(name).map_err(|_| unfit())?;
    if RESERVED.contains(&header.as_str()) { Err(unfit()) } else { Ok(header) }
}

/// The headers that the protocol sets, or that frame a request.
const RESERVED: [&str; 11] = [
    "accept",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];
