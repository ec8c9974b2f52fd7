//! Authorization links, the login page behind them, and the codes that it gives.
//!
//! Owns links and codes. A link works once, and so does a code. Does not know tokens.

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::error::{Invalid, REFUSED_BY_USER, Refused};
use super::mint::Mint;
use super::person::{GRANTS, Person};
use super::request::text;
use super::settings::FreedomIdSettings;
use crate::latest::Latest;
use crate::log::Verdict;
use crate::page::{self, Page};
use crate::pg_sig::Fields;
use crate::time::Time;
use crate::{urlencoded, xml};

/// The links and codes that Freedom ID remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Logins {
    links: Latest<Link>,
    codes: Latest<Code>,
}

/// What a user is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) grants: Vec<String>,
    /// What only OIDC has.
    pub(super) openid: Option<OpenId>,
}

#[derive(Clone, Debug)]
pub(super) struct OpenId {
    pub(super) state: String,
    pub(super) nonce: String,
}

#[derive(Clone, Debug)]
struct Link {
    wish: Wish,
    ends: Time,
    is_spent: bool,
}

#[derive(Clone, Debug)]
struct Code {
    wish: Wish,
    person: String,
    ends: Time,
    is_used: bool,
}

impl Logins {
    /// Makes a link to the login page. Returns its path and query.
    pub(super) fn link(
        &mut self,
        now: Time,
        limit: usize,
        settings: &FreedomIdSettings,
        mint: &mut Mint,
        wish: Wish,
    ) -> String {
        let (track, ends) = (mint.uuid_4(), now.after(settings.link_lifetime));
        let path = format!("/login?track_id={track}&expire_at={}", ends.unix_seconds());
        self.links.insert(limit, track, Link { wish, ends, is_spent: false });
        path
    }

    /// Shows the login page behind a link.
    pub(super) fn page(&self, now: Time, query: &str, people: &[Person]) -> Response<Vec<u8>> {
        let fields = urlencoded::read(query).unwrap_or_default();
        let track = urlencoded::one(&fields, "track_id").unwrap_or_default();
        let link = match self.find(now, track) {
            Ok(link) => link,
            Err(page) => return page.response(now),
        };
        let grants = link.wish.grants.iter();
        let grants: String =
            grants.map(|grant| format!("<li>{}</li>\n", xml::escaped(readable(grant)))).collect();
        let users: String = people
            .iter()
            .take(MOST_SHOWN)
            .map(|person| {
                let (id, name) = (xml::escaped(&person.id), xml::escaped(&person.shown()));
                format!("<button name=\"user\" value=\"{id}\">Sign in as {name}</button>\n")
            })
            .collect();
        let content = format!(
            "<p><strong>{}</strong> asks you to sign in, and wants to read:</p>\n<ul>\n{grants}</ul>\n\
             <form method=\"post\" action=\"/login\">\n\
             <input type=\"hidden\" name=\"track_id\" value=\"{}\">\n{users}\
             <button class=\"second\" name=\"refuse\" value=\"1\">Refuse</button>\n</form>",
            xml::escaped(&link.wish.client),
            xml::escaped(track)
        );
        let leads_to = page::origin(&link.wish.redirect_uri);
        Page { leads_to, ..Page::new("Sign in with Freedom ID", content) }.response(now)
    }

    /// Takes what the user chose on the login page. Sends the browser back to the client. Returns
    /// whether the user signed in, if the link works.
    pub(super) fn choose(
        &mut self,
        now: Time,
        limit: usize,
        settings: &FreedomIdSettings,
        mint: &mut Mint,
        form: &Fields,
        people: &[Person],
    ) -> (Option<bool>, Response<Vec<u8>>) {
        let track = urlencoded::one(form, "track_id").unwrap_or_default();
        if let Err(page) = self.find(now, track) {
            return (None, page.response(now));
        }
        let user = urlencoded::one(form, "user");
        let person = people.iter().find(|person| Some(person.id.as_str()) == user);
        let refuses = urlencoded::one(form, "refuse").is_some();
        if person.is_none() && !refuses {
            let page = notice(StatusCode::BAD_REQUEST, "No such user", "Go back and choose again.");
            return (None, page.response(now));
        }
        let Some(link) = self.links.find_mut(track) else {
            return (None, unknown().response(now));
        };
        link.is_spent = true;
        let wish = link.wish.clone();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let back = match (person, &wish.openid) {
            (Some(person), openid) => {
                let code = mint.code();
                let (person, ends) = (person.id.clone(), now.after(settings.code_lifetime));
                let name = if openid.is_some() { "code" } else { "authorization_code" };
                let kept = Code { wish: wish.clone(), person, ends, is_used: false };
                self.codes.insert(limit, code.clone(), kept);
                pair(name, &code)
            }
            (None, None) => pair("error_code", &REFUSED_BY_USER.to_string()),
            // As RFC 6749, section 4.1.2.1 has it (assumed).
            (None, Some(_)) => pair("error", "access_denied"),
        };
        let state = wish.openid.as_ref().map(|openid| pair("state", &openid.state));
        let fields: Vec<_> = [Some(back), state].into_iter().flatten().collect();
        let url = urlencoded::appended(&wish.redirect_uri, &fields);
        (Some(person.is_some()), page::see_other(&url, now))
    }

    /// Takes a code of this client's. Returns what was asked and who signed in. A code works once.
    pub(super) fn redeem(
        &mut self,
        now: Time,
        client: &str,
        code: &str,
        is_openid: bool,
    ) -> Result<(Wish, String), Refused> {
        let known = self.codes.find_mut(code).filter(|known| {
            known.wish.client == client && known.wish.openid.is_some() == is_openid
        });
        let known = known.ok_or_else(|| Refused::code(Verdict::UnknownCode))?;
        if known.is_used {
            return Err(Refused::code(Verdict::ReusedCode));
        }
        if now >= known.ends {
            return Err(Refused::code(Verdict::UnknownCode));
        }
        known.is_used = true;
        Ok((known.wish.clone(), known.person.clone()))
    }

    fn find(&self, now: Time, track: &str) -> Result<&Link, Page<'static>> {
        let link = self.links.find(track).ok_or_else(unknown)?;
        let gone = |text| notice(StatusCode::GONE, "This link does not work any more", text);
        match () {
            () if link.is_spent => {
                Err(gone("It was used. Ask the service where you came from for a new one."))
            }
            () if now >= link.ends => {
                Err(gone("Its time is over. Ask the service where you came from for a new one."))
            }
            () => Ok(link),
        }
    }
}

/// Reads the request for a link: where the user comes back to, and what is asked.
pub(super) fn wish(
    client: &str,
    object: &Map<String, Value>,
    settings: &FreedomIdSettings,
) -> Result<Wish, Refused> {
    let mut invalid = Invalid::default();
    let redirect_uri = text(object, "redirect_uri", &mut invalid);
    let takes = |uri| settings.clients.get(client).is_some_and(|client| client.takes(uri));
    if !redirect_uri.is_empty() && !takes(redirect_uri) {
        invalid.selected("redirect_uri");
    }
    let grants = match object.get("grants") {
        Some(Value::Array(grants)) if !grants.is_empty() => grants.as_slice(),
        None | Some(Value::Null | Value::Array(_)) => {
            invalid.required("grants");
            &[]
        }
        Some(_) => {
            invalid.format("grants");
            &[]
        }
    };
    for (place, grant) in grants.iter().enumerate() {
        if !grant.as_str().is_some_and(|grant| GRANTS.contains(&grant)) {
            invalid.selected(&format!("grants.{place}"));
        }
    }
    invalid.check()?;
    let grants = grants.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let (client, redirect_uri) = (client.to_owned(), redirect_uri.to_owned());
    Ok(Wish { client, redirect_uri, grants, openid: None })
}

/// The reply to a request for a link, as printed.
pub(super) fn link_reply(url: &str) -> Value {
    json!({ "redirect_uri": url })
}

/// A page that says what is wrong and what to do.
pub(super) fn notice<'a>(status: StatusCode, title: &'a str, text: &str) -> Page<'a> {
    Page { status, ..Page::new(title, format!("<p>{}</p>", xml::escaped(text))) }
}

fn unknown() -> Page<'static> {
    let text = "Ask the service where you came from for a new one.";
    notice(StatusCode::NOT_FOUND, "There is no such link", text)
}

/// Returns a grant as the page names it: `read.date_of_birth` is `date of birth`.
fn readable(grant: &str) -> &str {
    match grant {
        "openid" => "your user id",
        "read.date_of_birth" => "date of birth",
        "read.firstname" => "first name",
        "read.lastname" => "last name",
        "read.identifier" => "document number",
        "read.emails" => "all e-mail addresses",
        "read.phones" => "all phones",
        "read.email" => "e-mail address",
        other => other.strip_prefix("read.").unwrap_or(other),
    }
}

/// How many users the login page shows at most.
const MOST_SHOWN: usize = 8;
