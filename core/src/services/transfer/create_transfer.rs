//! `POST`, path unknown: Create transfer (published in part). Registers a transfer, and moves money.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{AgentId, ClientUuid, Country, Destination, FieldError, Phone};
use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
use crate::json::Json;
use crate::operation::{Auth, Class, Operation};
use crate::secret::Body;
use crate::wire::Success;

/// A transfer to be registered: the five published fields, and the integrator's own.
///
/// There are two kinds (published). An On-Demand transfer goes to a phone, and any agent of the
/// recipient's country may pay it out. A Phone-Based transfer names the agent that pays out, for
/// any destination.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::transfer::CreateTransfer;
///
/// let uuid = "5f0c3c1e-7b0f-4a51-9d0b-3a4b7b1f9a10".parse()?;
/// let transfer = CreateTransfer::on_demand(uuid, "+998901234567".parse()?, "UZB".parse()?)
///     .with_extra("amount", imts_core::operation::Json::parse("15.40")?)?;
/// assert!(!format!("{transfer:?}").contains("998901234567"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CreateTransfer {
    client_uuid: ClientUuid,
    destination: Destination,
    target_agent_id: Option<AgentId>,
    target_country: Country,
    extra: BTreeMap<String, Json>,
}

const FIELDS: [&str; 5] = [
    "client_uuid",
    "destination_type",
    "destination_identifier",
    "target_agent_id",
    "target_country",
];

impl CreateTransfer {
    /// Makes a transfer to a phone. Any agent of the country may pay it out.
    #[must_use]
    pub fn on_demand(client_uuid: ClientUuid, phone: Phone, target_country: Country) -> Self {
        let destination = Destination::Phone(phone);
        let extra = BTreeMap::new();
        Self { client_uuid, destination, target_agent_id: None, target_country, extra }
    }

    /// Makes a transfer that this agent pays out.
    #[must_use]
    pub fn phone_based(
        client_uuid: ClientUuid,
        destination: Destination,
        target_agent_id: AgentId,
        target_country: Country,
    ) -> Self {
        let (target_agent_id, extra) = (Some(target_agent_id), BTreeMap::new());
        Self { client_uuid, destination, target_agent_id, target_country, extra }
    }

    /// Adds a further field, such as the amount and the currencies, whose names this crate does not
    /// know.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if the name is one of the five.
    pub fn with_extra(mut self, name: impl Into<String>, value: Json) -> Result<Self, FieldError> {
        let name = name.into();
        if FIELDS.contains(&name.as_str()) {
            return Err(FieldError::new(
                "extra",
                "a field that is not one of the five published ones",
            ));
        }
        self.extra.insert(name, value);
        Ok(self)
    }
}

impl Serialize for CreateTransfer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            client_uuid: &'a ClientUuid,
            destination_type: &'a str,
            destination_identifier: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            target_agent_id: Option<&'a AgentId>,
            target_country: Country,
            #[serde(flatten)]
            extra: &'a BTreeMap<String, Json>,
        }
        let fields = Fields {
            client_uuid: &self.client_uuid,
            destination_type: self.destination.kind(),
            destination_identifier: self.destination.expose_identifier(),
            target_agent_id: self.target_agent_id.as_ref(),
            target_country: self.target_country,
            extra: &self.extra,
        };
        fields.serialize(serializer)
    }
}

impl Operation for CreateTransfer {
    const NAME: &'static str = "create-transfer";
    const PATH: Option<&'static str> = None;
    const AUTH: Auth = Auth::Bearer;
    const CLASS: Class = Class::Money;
    const EVIDENCE: Evidence = Evidence::Published;
    /// Published: the caller's own id of the transfer.
    const REFERENCE_FIELD: Option<&'static str> = Some("client_uuid");
    type Reply = Json;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(self)
    }

    fn decode(success: Success<'_>) -> Result<Json, Malformed> {
        success.payload_text().map(Json::known)
    }

    /// Returns the transfer's `client_uuid`.
    fn reference(&self) -> Option<String> {
        Some(self.client_uuid.as_str().to_owned())
    }
}
