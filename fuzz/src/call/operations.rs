//! What can be called: every built-in operation, two token exchanges of the caller's own, and an operation
//! that is added by its name.

use std::sync::OnceLock;

use imts_core::call::NotCallable;
use imts_core::catalogue::Decided;
use imts_core::endpoint::ServicePath;
use imts_core::error::{EncodeError, Malformed};
use imts_core::operation::{Auth, Custom, Json, OperationName, Success};
use imts_core::secret::Body;
use imts_core::services::transfer::{
    Cancel, Confirm, CreateBusiness, CreatePerson, CreateTransfer, Fees, GetAgents,
    GetBusinessInfo, GetPersonInfo, Info, Originator, Payout, PayoutConfirm, PrintApplication,
    Search, Status,
};
use imts_core::time::Mono;
use imts_core::{Call, Class, Evidence, Operation, Service, Session, services};

use super::replies::SECRETS;

/// An operation, under two names that may be the same and lead to one path.
pub(super) struct Place {
    pub(super) path: &'static str,
    pub(super) names: [&'static str; 2],
    pub(super) class: Class,
    pub(super) auth: Auth,
    form: Form,
}

type Made = Result<Call<Json>, NotCallable>;

enum Form {
    /// The integrator's own request, by the types of its names.
    Own([fn(&Session, &Json, Mono) -> Made; 2]),
    /// The request of a type, and the call with it.
    Typed(fn(&str) -> Body, fn(&Session, &str, Mono) -> Made),
    /// Known by its name alone.
    Named,
}

/// The first two are easily mistaken for one another.
pub(super) const PLACES: [Place; 16] = [
    both::<Confirm, PayoutConfirm>("/pay"),
    both::<CreatePerson, CreateBusiness>("/pay/person"),
    one::<Payout>("/payout"),
    one::<Cancel>("/cancel"),
    typed::<CreateTransfer>(
        "/transfer",
        |id| body(&transfer(id)),
        |session, id, deadline| session.call(&transfer(id), deadline),
    ),
    Place {
        path: "/report",
        names: ["report"; 2],
        class: Class::Money,
        auth: Auth::Bearer,
        form: Form::Named,
    },
    typed::<Renew>(
        "/renew",
        |_| body(&Renew),
        |session, _, deadline| session.call(&Renew, deadline),
    ),
    typed::<SignIn>(
        "/sign-in",
        |_| body(&SignIn),
        |session, _, deadline| session.call(&SignIn, deadline),
    ),
    typed::<Fees>(
        imts_sandbox::FEES_PATH,
        |_| body(&fees()),
        |session, _, deadline| session.call(&fees(), deadline),
    ),
    one::<PrintApplication>("/print"),
    one::<GetAgents>("/agents"),
    one::<Search>("/search"),
    one::<GetPersonInfo>("/person"),
    one::<GetBusinessInfo>("/business"),
    one::<Status>("/status"),
    one::<Info>("/info"),
];

impl Place {
    /// A call of it.
    pub(super) fn call(
        &self,
        session: &Session,
        (name, is_typed): (&str, bool),
        (id, body): (&str, &str),
        deadline: Mono,
    ) -> Call<Json> {
        let json = Json::parse(body).expect("JSON");
        let made = match &self.form {
            Form::Typed(_, call) => call(session, id, deadline),
            Form::Own(calls) if is_typed => {
                calls[usize::from(name != self.names[0])](session, &json, deadline)
            }
            Form::Own(_) | Form::Named => session.call_named(name, &json, deadline),
        };
        made.expect("an operation with a path")
    }

    /// The body of its request, if its type decides that.
    pub(super) fn body(&self, id: &str) -> Option<String> {
        let Form::Typed(body, _) = self.form else { return None };
        Some(String::from_utf8(body(id).as_ref().to_vec()).expect("JSON"))
    }

    /// The operation of the sandbox that serves it.
    pub(super) fn operation(&self) -> Option<imts_sandbox::Operation> {
        (self.auth == Auth::Bearer).then(|| self.names[0].parse().expect("a name"))
    }

    /// Whether its caller's own id says which request it is.
    pub(super) fn has_uuid(&self) -> bool {
        self.names[0] == CreateTransfer::NAME
    }
}

/// The service with all of them. If it `decides`, two kinds of refusal come before any processing.
pub(super) fn service(decides: bool) -> Service {
    static SERVICES: [OnceLock<Service>; 2] = [OnceLock::new(), OnceLock::new()];
    let made = || {
        let mut catalogue = services::transfer::catalogue();
        let report = ServicePath::new("/report").expect("a path");
        catalogue.add("report", Class::Money, report, Evidence::Draft).expect("a name");
        for place in PLACES.iter().filter(|place| place.auth == Auth::Bearer) {
            for name in place.names {
                let path = ServicePath::new(place.path).expect("a path");
                catalogue.set_path(name, path, Evidence::Assumed).expect("built in");
                let codes = ["LIMIT".to_owned()].into();
                let decided = Decided { statuses: [429].into(), codes };
                let decided = if decides { decided } else { Decided::default() };
                catalogue.set_decided(name, decided).expect("in the catalogue");
            }
        }
        services::transfer().with_operations(catalogue)
    };
    SERVICES[usize::from(decides)].get_or_init(made).clone()
}

const fn both<N: OperationName, M: OperationName>(path: &'static str) -> Place {
    let form = Form::Own([own::<N>, own::<M>]);
    Place { path, names: [N::NAME, M::NAME], class: N::CLASS, auth: Auth::Bearer, form }
}

const fn one<N: OperationName>(path: &'static str) -> Place {
    both::<N, N>(path)
}

const fn typed<O: Operation>(
    path: &'static str,
    body: fn(&str) -> Body,
    call: fn(&Session, &str, Mono) -> Made,
) -> Place {
    let form = Form::Typed(body, call);
    Place { path, names: [O::NAME; 2], class: O::CLASS, auth: O::AUTH, form }
}

fn own<N: OperationName>(session: &Session, json: &Json, deadline: Mono) -> Made {
    session.call(&Custom::<N, _>::new(json), deadline)
}

fn body(operation: &impl Operation) -> Body {
    operation.encode().expect("JSON")
}

/// A caller's own call that carries secrets and takes no token: its reply is a grant, which is
/// returned as JSON.
struct SignIn;

/// The same, of a class that is not sent again.
struct Renew;

macro_rules! exchange {
    ($operation:ty, $name:literal, $class:expr, $fields:expr) => {
        impl Operation for $operation {
            const NAME: &'static str = $name;
            const PATH: Option<&'static str> = Some(concat!("/", $name));
            const AUTH: Auth = Auth::None;
            const CLASS: Class = $class;
            const EVIDENCE: Evidence = Evidence::Assumed;
            type Reply = Json;

            fn encode(&self) -> Result<Body, EncodeError> {
                Body::json(&std::collections::BTreeMap::from($fields))
            }

            fn decode(success: Success<'_>) -> Result<Json, Malformed> {
                services::transfer::tokens().grant()(success)?;
                success.payload()
            }
        }
    };
}

exchange!(SignIn, "sign-in", Class::Read, [("agent_id", "agent"), ("agent_secret", SECRETS[0])]);
exchange!(Renew, "renew", Class::Create, [("refresh_token", SECRETS[1])]);

fn fees() -> Fees {
    Fees {
        originator_type: Originator::Person,
        target_country: "UZB".parse().expect("a country"),
        amount_source: "15.4".parse().expect("an amount"),
        currency_source: "KZT".parse().expect("a currency"),
        currency_target: "UZS".parse().expect("a currency"),
        pg_sig: None,
    }
}

fn transfer(uuid: &str) -> CreateTransfer {
    let phone = "+998901234567".parse().expect("a phone");
    let country = "UZB".parse().expect("a country");
    CreateTransfer::on_demand(uuid.parse().expect("a uuid"), phone, country)
}
