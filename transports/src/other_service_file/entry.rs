//! One operation of such a service file.
//!
//! Owns its keys. Does not know the others: what they say of each other is checked for the whole file.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use imts_core::Catalogue;
use imts_core::catalogue::{CatalogueError, Decided, OperationInfo};
use imts_core::endpoint::ServicePath;
use imts_core::operation::{Account, AskedBy, Auth, Repeat};
#[cfg(feature = "jws")]
use imts_core::sign::jws::{Algorithm, JwsForm};
use serde::Deserialize;

use super::{OtherServiceFileError, Place};
use crate::service_file::{ClassName, Code, DecidedTable, EvidenceName};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    path: String,
    class: Option<ClassName>,
    #[serde(default)]
    evidence: EvidenceName,
    method: Option<MethodName>,
    auth: Option<AuthName>,
    repeat: Option<RepeatName>,
    #[serde(default)]
    repeat_codes: Vec<Code>,
    ask: Option<Ask>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    reference_header: Option<String>,
    reference_field: Option<String>,
    reply_limit: Option<usize>,
    #[serde(default)]
    decided_before_processing: DecidedTable,
}

/// The operation that says what became of a call, and the field that takes the call's id.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    operation: String,
    field: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum MethodName {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AuthName {
    Bearer,
    None,
    Basic,
    /// With the form of the service.
    Jws,
    #[serde(rename = "jws-hs256")]
    JwsHs256,
    #[serde(rename = "jws-hs512")]
    JwsHs512,
    /// With `typ`, as the newer Card API has it.
    #[serde(rename = "jws-typ-hs256")]
    JwsTypHs256,
    #[serde(rename = "jws-typ-hs512")]
    JwsTypHs512,
    /// With `path` and a numeric `merchant_id`.
    #[serde(rename = "jws-merchant-hs256")]
    JwsMerchantHs256,
    #[serde(rename = "jws-merchant-hs512")]
    JwsMerchantHs512,
    PgSigAccepting,
    PgSigPayouts,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum RepeatName {
    Unknown,
    Replayed,
    Refused,
}

impl Entry {
    /// Adds the operation, or what the file says of a built-in one.
    pub(super) fn add_to(
        &self,
        operations: &mut Catalogue,
        place: Place<'_>,
    ) -> Result<(), OtherServiceFileError> {
        let Place { name, line } = place;
        let path = ServicePath::new(self.path.as_str())
            .map_err(|error| OtherServiceFileError::Path { line, name: place.shown(), error })?;
        let table = &self.decided_before_processing;
        if let Some(status) = table.statuses().find(|status| !(100..=999).contains(status)) {
            return Err(OtherServiceFileError::Status { line, name: place.shown(), status });
        }
        let built_in = operations.entry(name).is_some_and(OperationInfo::is_built_in);
        let added = match self.class {
            Some(class) => operations.add(name, class.into(), path, self.evidence.into()),
            None if built_in => operations.set_path(name, path, self.evidence.into()),
            None => Err(CatalogueError::NoSuchOperation { name: place.shown() }),
        };
        let decided = Decided { statuses: table.statuses().collect(), codes: table.codes() };
        added
            .and_then(|()| operations.set_decided(name, decided))
            .and_then(|()| self.set_optional(operations, name))
            .map_err(|error| place.wrong(error))?;
        self.set_auth(operations, place)?;
        self.set_repeat(operations, place)
    }

    /// Sets the operation that says what became of a call. All operations are known by now.
    pub(super) fn ask(
        &self,
        operations: &mut Catalogue,
        place: Place<'_>,
    ) -> Result<(), OtherServiceFileError> {
        let Some(ask) = &self.ask else { return Ok(()) };
        let asked = AskedBy::new(ask.operation.clone(), ask.field.clone());
        operations.set_asked_by(place.name, asked).map_err(|error| place.wrong(error))
    }

    fn set_optional(&self, operations: &mut Catalogue, name: &str) -> Result<(), CatalogueError> {
        if let Some(method) = self.method {
            operations.set_method(name, method.into())?;
        }
        if let Some(limit) = self.reply_limit {
            operations.set_reply_limit(name, limit)?;
        }
        if let Some(field) = &self.reference_field {
            operations.set_reference_field(name, field)?;
        }
        if let Some(header) = &self.reference_header {
            operations.set_reference_header(name, header)?;
        }
        self.headers
            .iter()
            .try_for_each(|(header, value)| operations.set_header(name, header, value))
    }

    /// An operation of the integrator's own is signed as most of its service are, unless it says
    /// otherwise.
    fn set_auth(
        &self,
        operations: &mut Catalogue,
        place: Place<'_>,
    ) -> Result<(), OtherServiceFileError> {
        let usual = operations
            .iter()
            .find(|info| info.is_built_in())
            .map_or(Auth::Bearer, OperationInfo::auth);
        let is_own = operations.entry(place.name).is_some_and(|info| !info.is_built_in());
        let auth = match self.auth {
            Some(name) => name.auth(place)?,
            None if is_own => usual,
            None => return Ok(()),
        };
        let set = operations.set_auth(place.name, auth);
        #[cfg(feature = "jws")]
        let set = set.and_then(|()| match self.auth.and_then(AuthName::jws_form) {
            Some(form) => operations.set_jws_form(place.name, form),
            None => Ok(()),
        });
        set.map_err(|error| place.wrong(error))
    }

    fn set_repeat(
        &self,
        operations: &mut Catalogue,
        place: Place<'_>,
    ) -> Result<(), OtherServiceFileError> {
        let codes: BTreeSet<_> = self.repeat_codes.iter().map(Code::text).collect();
        if !codes.is_empty() && self.repeat != Some(RepeatName::Refused) {
            return Err(OtherServiceFileError::Codes { line: place.line, name: place.shown() });
        }
        let repeat = match self.repeat {
            None => return Ok(()),
            Some(RepeatName::Unknown) => Repeat::Unknown,
            Some(RepeatName::Replayed) => Repeat::Replayed,
            Some(RepeatName::Refused) => Repeat::refused(codes.iter().map(String::as_str)),
        };
        let set = operations.set_repeat(place.name, repeat);
        set.map_err(|error| place.wrong(error))
    }
}

impl AuthName {
    fn auth(self, place: Place<'_>) -> Result<Auth, OtherServiceFileError> {
        let lacks = |setting, feature| {
            Err(OtherServiceFileError::Feature {
                line: place.line,
                name: place.shown(),
                setting,
                feature,
            })
        };
        match self {
            Self::Bearer => Ok(Auth::Bearer),
            Self::None => Ok(Auth::None),
            Self::Basic => Ok(Auth::Basic),
            Self::PgSigAccepting | Self::PgSigPayouts if !cfg!(feature = "pg-sig") => {
                lacks("pg-sig", "pg-sig")
            }
            Self::PgSigAccepting => Ok(Auth::PgSig(Account::Accepting)),
            Self::PgSigPayouts => Ok(Auth::PgSig(Account::Payouts)),
            _ if !cfg!(feature = "jws") => lacks("jws", "jws"),
            _ => Ok(Auth::Jws),
        }
    }

    #[cfg(feature = "jws")]
    fn jws_form(self) -> Option<JwsForm> {
        Some(match self {
            Self::JwsHs256 => JwsForm::partner(Algorithm::Hs256),
            Self::JwsHs512 => JwsForm::partner(Algorithm::Hs512),
            Self::JwsTypHs256 => JwsForm::partner_with_typ(Algorithm::Hs256),
            Self::JwsTypHs512 => JwsForm::partner_with_typ(Algorithm::Hs512),
            Self::JwsMerchantHs256 => JwsForm::merchant(Algorithm::Hs256),
            Self::JwsMerchantHs512 => JwsForm::merchant(Algorithm::Hs512),
            _ => return None,
        })
    }
}

impl From<MethodName> for Method {
    fn from(name: MethodName) -> Self {
        match name {
            MethodName::Get => Self::GET,
            MethodName::Post => Self::POST,
            MethodName::Put => Self::PUT,
            MethodName::Patch => Self::PATCH,
            MethodName::Delete => Self::DELETE,
        }
    }
}
