//! What Freedom ID serves: by method and path.

use http::Method;

use super::settings::FreedomIdSettings;
use crate::operation::Operation;

/// One thing that Freedom ID does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Link,
    Token,
    Refresh,
    UserInfo,
    RequestProfile,
    ProfileStatus,
    CreateUser,
    UpdateUser,
    OpenId,
    OpenIdToken,
    LoginPage,
    Login,
    AccountPage,
    SignOut,
}

/// The name, the method and the path of each. The last four are pages of the sandbox's own.
const ALL: [(Action, &str, Method, &str); 12] = [
    (Action::Link, "freedom-id-link", Method::POST, "/api/v1/oauth/authorize"),
    (Action::Token, "freedom-id-token", Method::POST, TOKEN_PATH),
    (Action::Refresh, "freedom-id-refresh", Method::PATCH, TOKEN_PATH),
    (
        Action::RequestProfile,
        "freedom-id-request-profile",
        Method::POST,
        "/api/v1/oauth/get-profile",
    ),
    (
        Action::ProfileStatus,
        "freedom-id-profile-status",
        Method::GET,
        "/api/v1/oauth/get-profile/status",
    ),
    (Action::CreateUser, "freedom-id-create-user", Method::POST, USER_PATH),
    (Action::UpdateUser, "freedom-id-update-user", Method::PUT, USER_PATH),
    (Action::OpenId, "freedom-id-openid", Method::GET, "/openid"),
    (Action::LoginPage, "freedom-id-login-page", Method::GET, "/login"),
    (Action::Login, "freedom-id-login", Method::POST, "/login"),
    (Action::AccountPage, "freedom-id-account-page", Method::GET, "/account"),
    (Action::SignOut, "freedom-id-sign-out", Method::POST, "/account"),
];
const OPENID_TOKEN: &str = "freedom-id-openid-token";
const USER_INFO: &str = "freedom-id-user-info";

/// The path of both token exchanges (published).
const TOKEN_PATH: &str = "/api/v1/oauth/token";
/// The path of create and update user (published, on another host).
const USER_PATH: &str = "/api/v1/oauth/user";

impl Action {
    /// Returns what is at this method and path.
    pub(crate) fn at(method: &Method, path: &str, settings: &FreedomIdSettings) -> Option<Self> {
        if method == Method::POST && path == settings.oidc_token_path {
            return Some(Self::OpenIdToken);
        }
        if method == Method::GET && Some(path) == settings.user_info_path.as_deref() {
            return Some(Self::UserInfo);
        }
        let mut all = ALL.iter();
        let found = all.find(|(_, _, known, at)| known == method && *at == path);
        found.map(|(action, ..)| *action)
    }

    /// Returns the name by which the log and rules for faults know it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OpenIdToken => OPENID_TOKEN,
            Self::UserInfo => USER_INFO,
            known => ALL.iter().find(|(it, ..)| *it == known).map_or("other", |entry| entry.1),
        }
    }

    /// Returns the operation in the log.
    pub(crate) fn operation(self) -> Operation {
        self.name().parse().unwrap_or(Operation::Other)
    }

    /// Returns whether an operation is Freedom ID's.
    pub(crate) fn is_one(operation: Operation) -> bool {
        let name = operation.as_str();
        [OPENID_TOKEN, USER_INFO].contains(&name) || ALL.iter().any(|entry| entry.1 == name)
    }
}
