//! `POST /v5/card-api/client/add`: a client, for whom cards can be issued.

use serde::Serialize;

use crate::operation::Auth;
use crate::services::flat;
use crate::services::request::{reply, request};
use crate::services::values::{Country, Date, Found, Hidden, Uuid};

request! {
    /// Creates a client (published).
    CreateClient = "create-client", Create, Auth::Jws, Some("/v5/card-api/client/add"), Published => CreatedClient;
    reference "request_id";
    required {
        request_id: Uuid = "request_id",
        product_id: u64 = "product_id",
        client: CardClient = "client",
    }
    optional {
        /// Sets the branch.
        with_branch_id(branch_id: Hidden) = "branch_id",
        /// Sets what identifies the client.
        with_identification(identification: Identification) = "identification_info",
    }
}

/// A client: a person or a company. The fields are those that the page prints, and `Debug` shows
/// none of the personal ones.
#[derive(Clone, Debug, Serialize)]
pub struct CardClient {
    /// The phone number, as digits.
    pub phone: u64,
    /// 1 for a person, 2 for a company, 3 for a sole trader.
    #[serde(rename = "type")]
    pub kind: u8,
    /// 1 for a resident, 2 for a person or company from abroad.
    pub resident: u8,
    /// The first name.
    pub first_name: Hidden,
    /// The last name.
    pub last_name: Hidden,
    /// The middle name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<Hidden>,
    /// The date of birth, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<Hidden>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Hidden>,
    /// The country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// The personal number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_id: Option<Hidden>,
    /// The language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Hidden>,
    /// A PDF in base 64, of at most 2 MB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Hidden>,
    /// The partner's own id of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_user_id: Option<Hidden>,
    /// The first line of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address1: Option<Hidden>,
    /// The second line of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address2: Option<Hidden>,
}

/// When and by whom a client was identified.
#[derive(Clone, Debug, Serialize)]
pub struct Identification {
    /// The date.
    pub idn_date: Date,
    /// Who identified the client.
    pub identified_by: Hidden,
}

reply! {
    /// The client that was created.
    CreatedClient {
        /// How far the service is with the request.
        request_status: flat::RequestStatus = "request_status",
        /// The id of the client (assumed: the page is cut).
        client_id: Found = "client_id",
        /// When the service replied.
        dt: Found = "dt",
    }
}
