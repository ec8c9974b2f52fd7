//! Products: the partner's clients who accept payments, and what they accept them with.
//!
//! Owns two operations that are published, one of them for Uzbekistan alone, and the names of two.

use serde::Serialize;

use super::flat::{self, Accepted};
use super::request::request;
use super::values::{Hidden, Uuid};
use crate::catalogue::{Catalogue, OperationInfo};
use crate::json::Json;
use crate::operation::{AskedBy, Auth, Class, Repeat};
use crate::service::Service;
use crate::sign::jws::{Algorithm, JwsForm};

/// Returns the service. That a repeated `request_id` is refused is assumed: its siblings do so.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::products::{AddClient, Address, Company};
///
/// let address = Address::new("KAZ".into(), "050000".into(), "Abay 1".into());
/// let company = Company::new("7".into(), "Shop".into(), "123456789012".into(), address);
/// let add = AddClient::new("828cf71d-a447-4a67-a149-c1df8bc197ca".parse()?, company);
/// let body = add.encode()?;
/// assert!(std::str::from_utf8(body.as_ref())?.contains(r#""address":{"country":"KAZ","#));
/// assert!(!format!("{add:?}").contains("Abay"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&flat::FORMAT, catalogue())
        .with_name("products")
        .with_jws_form(JwsForm::partner(Algorithm::Hs256))
}

/// Returns its operations: the three of the vendor's menu, and one that only the pages for
/// Uzbekistan print.
#[must_use]
pub fn catalogue() -> Catalogue {
    let once = |info: OperationInfo| {
        info.with_reference_field("request_id")
            .with_repeat(Repeat::refused([]))
            .with_asked_by(AskedBy::new("request-status", "request_id"))
    };
    Catalogue::of([
        once(OperationInfo::of::<AddClient>()),
        OperationInfo::by_name("request-status", Class::Read, Auth::Jws),
        once(OperationInfo::by_name("create-terminal", Class::Create, Auth::Jws)),
        once(OperationInfo::of::<AddProduct>()),
    ])
}

request! {
    /// Adds a client, with a product (published).
    AddClient = "add-client", Create, Auth::Jws, Some("/v5/partner/client/add"), Published => Accepted;
    reference "request_id";
    required {
        request_id: Uuid = "request_id",
        company: Company = "company",
    }
    optional {
        /// Sets the product: 10001 is Pos, 11001 is Box, 20000 is Ecom. Its form is not published.
        with_product(product: Json) = "product",
    }
}

request! {
    /// Adds a product to a client (published for Uzbekistan alone; its fields are given as JSON).
    AddProduct = "add-product", Create, Auth::Jws, Some("/v5/partner/client/product/add"), Published => Accepted;
    reference "request_id";
    required {
        request_id: Uuid = "request_id",
        company: Json = "company",
        product: Json = "product",
    }
    optional {}
}

/// A client of the partner.
#[derive(Clone, Debug, Serialize)]
pub struct Company {
    company_id: Hidden,
    name: Hidden,
    bin: Hidden,
    address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    iban: Option<Hidden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Hidden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    legal_type: Option<Hidden>,
}

impl Company {
    /// Makes a company with the fields that the page requires.
    #[must_use]
    pub fn new(company_id: Hidden, name: Hidden, bin: Hidden, address: Address) -> Self {
        let (iban, description, legal_type) = (None, None, None);
        Self { company_id, name, bin, address, iban, description, legal_type }
    }

    /// Sets its account.
    #[must_use]
    pub fn with_iban(self, iban: Hidden) -> Self {
        Self { iban: Some(iban), ..self }
    }

    /// Sets a description.
    #[must_use]
    pub fn with_description(self, description: Hidden) -> Self {
        Self { description: Some(description), ..self }
    }

    /// Sets its legal type.
    #[must_use]
    pub fn with_legal_type(self, legal_type: Hidden) -> Self {
        Self { legal_type: Some(legal_type), ..self }
    }
}

/// The address of a company.
#[derive(Clone, Debug, Serialize)]
pub struct Address {
    country: Hidden,
    postal_code: Hidden,
    address_line1: Hidden,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_line2: Option<Hidden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_line3: Option<Hidden>,
}

impl Address {
    /// Makes an address with one line.
    #[must_use]
    pub fn new(country: Hidden, postal_code: Hidden, address_line1: Hidden) -> Self {
        Self { country, postal_code, address_line1, address_line2: None, address_line3: None }
    }

    /// Sets its second and third lines.
    #[must_use]
    pub fn with_lines(self, second: Hidden, third: Option<Hidden>) -> Self {
        Self { address_line2: Some(second), address_line3: third, ..self }
    }
}
