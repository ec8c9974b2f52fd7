//! E-Money: wallets that a partner opens for its customers.
//!
//! Owns three operations with their fields, the names of five, and the published code of a repeated
//! request.

use super::flat::{self, Accepted};
use super::request::{open, reply, request};
use super::values::{Country, Currency, Date, Found, Hidden, Limited, Uuid};
use crate::catalogue::{Catalogue, OperationInfo};
use crate::operation::{AskedBy, Auth, Class, Repeat};
use crate::service::Service;
use crate::sign::jws::{Algorithm, JwsForm};

/// The code of a request whose `request_id` was used before (published). It proves that an earlier
/// request arrived.
pub const NOT_UNIQUE: &str = "1002";

/// Returns the service.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::e_money::AddWallet;
///
/// let id = "828cf71d-a447-4a67-a149-c1df8bc197ca".parse()?;
/// let add = AddWallet::new(id, "KAZ".parse()?, "KZT".parse()?);
/// assert_eq!(
///     add.encode()?.as_ref(), // the body that the page signs
///     br#"{"request_id":"828cf71d-a447-4a67-a149-c1df8bc197ca","country":"KAZ","currency":"KZT"}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&flat::FORMAT, catalogue())
        .with_name("e-money")
        .with_jws_form(JwsForm::partner(Algorithm::Hs256))
}

/// Returns its eight operations, in the order of the vendor's menu.
#[must_use]
pub fn catalogue() -> Catalogue {
    let once = |info: OperationInfo| {
        info.with_reference_field("request_id")
            .with_repeat(Repeat::refused([NOT_UNIQUE]))
            .with_asked_by(AskedBy::new("request-status", "request_id"))
    };
    let named = |name, class| OperationInfo::by_name(name, class, Auth::Jws);
    Catalogue::of([
        once(OperationInfo::of::<AddWallet>()),
        once(named("owner-identification", Class::Create)),
        named("info", Class::Read),
        once(named("close", Class::Create)),
        once(OperationInfo::of::<BlockWallet>()),
        named("balance", Class::Read),
        OperationInfo::of::<WalletStatement>(),
        named("request-status", Class::Read),
    ])
}

request! {
    /// Opens a wallet (published in part: the reply is not).
    AddWallet = "add", Create, Auth::Jws, Some("/v5/partner/wallet/add"), Published => crate::json::Json;
    reference "request_id";
    required {
        request_id: Uuid = "request_id",
        country: Country = "country",
        currency: Currency = "currency",
    }
    optional {}
}

request! {
    /// Blocks a wallet (published).
    BlockWallet = "block", Create, Auth::Jws, Some("/v5/partner/wallet/block"), Published => Accepted;
    reference "request_id";
    required {
        request_id: Uuid = "request_id",
        identifier: Hidden = "identifier",
        description: Limited<255> = "description",
    }
    optional {}
}

request! {
    /// Asks for the operations of a wallet (published). It takes no `request_id`.
    WalletStatement = "statement", Read, Auth::Jws, Some("/v5/partner/wallet/statement"), Published => WalletOperations;
    required { identifier: Hidden = "identifier", }
    optional {
        /// Sets the first moment.
        with_start_date(start_date: Date) = "start_date",
        /// Sets the last moment.
        with_end_date(end_date: Date) = "end_date",
    }
}

reply! {
    /// The operations of a wallet.
    WalletOperations {
        /// How far the service is with the request.
        request_status: flat::RequestStatus = "request_status",
        /// The operations.
        operations: Vec<WalletOperation> = "operations",
        /// When the service replied.
        dt: Found = "dt",
    }
}

reply! {
    /// An operation of a wallet.
    WalletOperation {
        /// What it was.
        kind: WalletOperationType = "type",
        /// How much it moved, as the service wrote it.
        amount: Found = "amount",
        /// What it cost.
        commission: Found = "commission",
        /// The currency of both.
        currency: Found = "currency",
        /// When it was.
        datetime: Found = "datetime",
        /// Its retrieval reference number.
        rrn: Found = "rrn",
        /// The other side.
        correspondent: Correspondent = "correspondent",
    }
}

open! {
    /// What an operation of a wallet was.
    WalletOperationType {
        /// `emoney_sale`
        Sale = "emoney_sale",
        /// `emoney_buy`
        Buy = "emoney_buy",
        /// `emoney_emission`
        Emission = "emoney_emission",
        /// `emoney_transfer`
        Transfer = "emoney_transfer",
        /// `emoney_pay`
        Pay = "emoney_pay",
        /// `emoney_servicepay`
        ServicePay = "emoney_servicepay",
    }
}

reply! {
    /// The other side of an operation.
    Correspondent {
        /// Its name.
        name: Hidden = "name",
        /// Its account.
        account_number: Hidden = "account_number",
    }
}
