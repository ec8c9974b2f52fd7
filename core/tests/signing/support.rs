//! What the tests share: files of vectors, and short ways to a signer and a message.

use http::{HeaderName, Request};
use imts_core::secret::Body;
use imts_core::sign::jws::{Algorithm, HeaderField, JwsForm, JwsKey, JwsSigner};
use imts_core::sign::pg_sig::{
    AcceptingKey, Account, PayoutKey, PgFields, PgSigner, PgValue, PgVerifyError, Salt, Script,
    SignedFields, VerifiedFields,
};
use serde_json::Value;

pub(crate) const SIGNATURE: HeaderName = HeaderName::from_static("x-jws-signature");

/// The vectors of these files, those of the first one first.
pub(crate) fn vectors(files: [&str; 2]) -> Vec<Value> {
    let all = files.map(|text| {
        let file: Value = serde_json::from_str(text).unwrap();
        file["vectors"].as_array().unwrap().clone()
    });
    all.concat()
}

/// The vector with this id.
pub(crate) fn named(vectors: &[Value], id: &str) -> Value {
    vectors.iter().find(|vector| vector["id"] == id).unwrap_or_else(|| panic!("{id}")).clone()
}

pub(crate) fn str_of<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("{}: {name}", vector["id"]))
}

pub(crate) fn algorithm(name: &str) -> Algorithm {
    [Algorithm::Hs256, Algorithm::Hs512].into_iter().find(|it| it.as_str() == name).unwrap()
}

/// The form of a printed header, and the party's id in it.
pub(crate) fn form_of(header: &str, algorithm: Algorithm) -> (JwsForm, String) {
    let fields: Value = serde_json::from_str(header).unwrap();
    let mut party = String::new();
    let mut names: Vec<_> = fields.as_object().unwrap().iter().collect();
    names.sort_by_key(|(name, _)| header.find(&format!("\"{name}\":")).unwrap());
    let each = names.into_iter().map(|(name, value)| match (name.as_str(), value) {
        ("uri", _) => HeaderField::Uri,
        ("path", _) => HeaderField::Path,
        ("method", _) => HeaderField::Method,
        ("params", _) => HeaderField::Params,
        ("alg", _) => HeaderField::Alg,
        ("typ", _) => HeaderField::Typ,
        ("auth_id", Value::String(id)) => {
            party.clone_from(id);
            HeaderField::AuthId
        }
        ("merchant_id", Value::String(id)) => {
            party.clone_from(id);
            HeaderField::MerchantIdText
        }
        ("merchant_id", Value::Number(id)) => {
            party = id.to_string();
            HeaderField::MerchantId
        }
        other => panic!("{other:?}"),
    });
    let each: Vec<_> = each.collect();
    (JwsForm::new(algorithm, each).unwrap(), party)
}

pub(crate) fn jws(form: JwsForm, party: &str, key: &str) -> JwsSigner {
    JwsSigner::new(form, party, &JwsKey::new(key).unwrap()).unwrap()
}

pub(crate) fn request(method: &str, path: &str, body: &str) -> Request<Body> {
    let body = Body::from(body.as_bytes().to_vec());
    let url = format!("https://service.example{path}");
    Request::builder().method(method).uri(url).body(body).unwrap()
}

pub(crate) fn with_token(mut request: Request<Body>, token: &str) -> Request<Body> {
    request.headers_mut().insert(SIGNATURE, token.parse().unwrap());
    request
}

/// A signer with this key for accepting, and another one for payouts.
pub(crate) fn signer(accepting: &str) -> PgSigner {
    PgSigner::new()
        .with_accepting(AcceptingKey::new(accepting).unwrap())
        .with_payouts(PayoutKey::new("the-key-for-payouts").unwrap())
}

/// Fields of a vector: pairs of a name, and a text, fields or a list.
pub(crate) fn fields_of(pairs: &Value) -> PgFields {
    pairs.as_array().unwrap().iter().fold(PgFields::new(), |fields, pair| {
        fields.with(pair[0].as_str().unwrap(), value_of(&pair[1]))
    })
}

/// What has the names 0, 1, 2 and so on is a list.
fn value_of(value: &Value) -> PgValue {
    let pairs = match value {
        Value::String(text) => return text.as_str().into(),
        nested => nested.as_array().unwrap(),
    };
    if pairs.iter().enumerate().all(|(place, pair)| pair[0] == place.to_string().as_str()) {
        pairs.iter().map(|pair| value_of(&pair[1])).collect::<Vec<_>>().into()
    } else {
        fields_of(value).into()
    }
}

pub(crate) fn flat(pairs: &[(&str, &str)]) -> PgFields {
    pairs.iter().fold(PgFields::new(), |fields, (name, value)| fields.with(*name, *value))
}

pub(crate) fn script(name: &str) -> Script {
    Script::of(&format!("https://shop.example/pay/{name}")).unwrap()
}

pub(crate) fn salt() -> Salt {
    Salt::new("molbulak").unwrap()
}

/// A message for `result`, signed with `secret`.
pub(crate) fn signed(fields: PgFields) -> SignedFields {
    signer("secret").sign(Account::Accepting, &script("result"), fields, &salt()).unwrap()
}

/// A message for `result`, verified with `secret`.
pub(crate) fn verified(fields: PgFields) -> Result<VerifiedFields, PgVerifyError> {
    signer("secret").verify(Account::Accepting, &script("result"), fields)
}

/// What a message says, in a form that can be compared.
pub(crate) fn shown(value: &PgValue) -> Value {
    match value.as_text() {
        Some(text) => text.into(),
        None => value
            .inner()
            .into_iter()
            .map(|(name, value)| Value::from(vec![name.into_owned().into(), shown(value)]))
            .collect(),
    }
}
