//! A detached JWS: the request that is signed, and its signer.

use http::{Method, Request, Uri};
use imts::secret::Body;
use imts::sign::jws::{Algorithm, JwsForm, JwsKey, JwsSigner};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Given, key};
use crate::args::{AlgorithmName, HeaderForm, JwsArgs, SignJws};
use crate::failure::Failure;

/// Signs the request, and returns what to print.
pub(super) fn signed(args: &SignJws) -> Result<Zeroizing<String>, Failure> {
    let args = &args.request;
    let body = Given::of(&args.data);
    let key = key(&args.key, &[&body])?;
    let signer = signer(args, args.algorithm, &key)?;
    let request = request(args, body.bytes("the body")?.to_vec())?;
    let request = signer.sign(request).map_err(Failure::usage)?;
    let (name, value) = request
        .headers()
        .iter()
        .find(|(_, value)| value.is_sensitive())
        .ok_or_else(|| Failure::usage("the request was not signed"))?;
    let value = value.to_str().map_err(Failure::usage)?;
    // The pages write the name so. Names of headers have no case.
    let name = if name == "x-jws-signature" { "X-JWS-Signature" } else { name.as_str() };
    Ok(Zeroizing::new(match args.json {
        true => json!({ "header": name, "value": value }).to_string(),
        false => format!("{name}: {value}"),
    }))
}

/// The request that is signed, with these bytes.
pub(crate) fn request(args: &JwsArgs, body: Vec<u8>) -> Result<Request<Body>, Failure> {
    let url: Uri = args.url.0.parse().map_err(|_| {
        Failure::usage(
            "--url cannot be used: give the whole URL, such as https://host.example/v5/path",
        )
    })?;
    if url.scheme().is_none() || url.authority().is_none() {
        return Err(Failure::usage(
            "--url has no host: give the whole URL, such as https://host.example/v5/path",
        ));
    }
    let method: Method = args.method.0.to_uppercase().parse().map_err(|_| {
        Failure::usage("--method is not a method of HTTP: give one such as POST or GET")
    })?;
    let request = Request::builder().method(method).uri(url);
    request.body(Body::from(body)).map_err(Failure::usage)
}

/// The signer of these settings, with this algorithm.
pub(crate) fn signer(
    args: &JwsArgs,
    algorithm: AlgorithmName,
    key: &str,
) -> Result<JwsSigner, Failure> {
    let algorithm = match algorithm {
        AlgorithmName::Hs256 => Algorithm::Hs256,
        AlgorithmName::Hs512 => Algorithm::Hs512,
    };
    let form = match args.form {
        HeaderForm::Partner => JwsForm::partner(algorithm),
        HeaderForm::PartnerTyp => JwsForm::partner_with_typ(algorithm),
        HeaderForm::Merchant => JwsForm::merchant(algorithm),
    };
    let key = JwsKey::new(key).map_err(Failure::usage)?;
    JwsSigner::new(form, args.party.0.as_str(), &key)
        .map_err(|error| Failure::usage(format!("--party cannot be used: {error}")))
}
