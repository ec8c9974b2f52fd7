//! Freedom ID: the vendor's sign-in service, with a session for each user.
//!
//! Owns what the vendor's pages say of it: its hosts, its two token exchanges, its operations, the
//! link that a user follows and how the user comes back, OpenID Connect, and the revocation that
//! Freedom ID posts. Each page has its own file. A session with it has no way back in: a code works
//! once, and only a refresh renews (decision 82).

mod back;
mod format;
mod grants;
mod link;
mod oidc;
mod profile;
mod query;
mod revocation;
mod tokens;
mod user_info;
mod users;

use std::time::Duration;

pub use self::back::{AuthorizationCode, BackError, LinkState};
pub use self::grants::UserGrant;
pub use self::link::{AuthorizationLink, LoginLink};
pub use self::oidc::{IdTokenHint, OidcError, OidcRequest, OidcToken, OidcTokens, OidcUserinfo};
pub use self::profile::{Profile, ProfileState, ProfileStatus, RequestProfile};
pub use self::revocation::revoked_id;
pub use self::tokens::tokens;
pub use self::user_info::{UserFacts, UserInfo};
pub use self::users::{CreateUser, Gender, UpdateUser, UserFields};

use crate::catalogue::{Catalogue, OperationInfo};
use crate::endpoint::Endpoint;
use crate::operation::Custom;
use crate::policy::Policy;
use crate::service::Service;

/// The base URL (published, on the kz, kg and uz pages alike). No test host is known.
///
/// Pass it explicitly: nothing in this crate uses it by itself.
pub const PRODUCTION_URL: &str = "https://passport.freedompay.kz";

/// The base URL of Create user and Update user (published). Pass it to [`service_with_users`].
pub const USERS_URL: &str = "https://api.freedompay.kz";

/// The service's name in saved states and in the entries of stores.
pub const NAME: &str = "freedom-id";

/// Returns the service as its pages print it. Create user and Update user cannot be called: they
/// are at another host, which [`service_with_users`] sets.
///
/// It is also there as `imts_core::services::freedom_id()`.
///
/// ```
/// use imts_core::services;
///
/// let service = services::freedom_id();
/// assert!(service.tokens().is_some_and(|tokens| !tokens.has_way_back()));
/// assert_eq!(service.operations().len(), 8);
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&format::FORMAT, catalogue()).with_name(NAME).with_tokens(tokens())
}

/// Returns the service with the host of Create user and Update user, such as [`USERS_URL`]. They
/// then carry the session's token to that host. It must be `https`, or this machine.
#[must_use]
pub fn service_with_users(users: &Endpoint) -> Service {
    service().with_operations(catalogue().with_endpoint(users))
}

/// Returns the operations that the vendor's pages list, except the two token exchanges.
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue::of([
        OperationInfo::of::<AuthorizationLink>(),
        OperationInfo::of::<UserInfo>(),
        OperationInfo::of::<RequestProfile>(),
        OperationInfo::of::<ProfileStatus>(),
        OperationInfo::of::<CreateUser>(),
        OperationInfo::of::<UpdateUser>(),
        OperationInfo::of::<OidcToken>(),
        OperationInfo::of::<Custom<OidcUserinfo, ()>>(),
    ])
}

/// Returns a policy for its sessions: tokens may live 31 days, and are renewed a day before their
/// end, or after half of a shorter life. In the printed example they live 7 days (computed). If a
/// refresh is lost, a day is left to ask the user for a new code.
///
/// ```
/// use std::time::Duration;
/// use imts_core::services::freedom_id;
///
/// let week = Duration::from_secs(7 * 86_400);
/// assert_eq!(freedom_id::policy().margin_of(week), Duration::from_secs(86_400));
/// ```
#[must_use]
pub fn policy() -> Policy {
    const DAY: Duration = Duration::from_secs(86_400);
    Policy::default().with_margin(DAY).with_access_lifetime_cap(DAY.saturating_mul(31))
}
