//! The shape that the typed operations of the signed services share.
//!
//! Owns two macros: one for a request, whose fields keep their printed names, and one for a reply,
//! whose unknown fields are ignored. Knows no field.

/// A request: its required fields make it, its optional fields are set one by one, and what is not
/// set is not sent. There is no way to give a field another name.
macro_rules! request {
    (
        $(#[$meta:meta])*
        $type:ident = $name:literal, $class:ident, $auth:expr, $path:expr, $evidence:ident => $reply:ty;
        $(method $method:ident;)?
        $(id $id:ident: $id_form:ty;)?
        $(reference $reference:literal;)?
        $(fixed { $($fixed:ident: $fixed_key:literal = $value:literal,)* })?
        required { $($(#[$must:meta])* $field:ident: $form:ty = $key:literal,)* }
        optional { $($(#[$may:meta])* $with:ident($other:ident: $other_form:ty) = $other_key:literal,)* }
        $(own $own:ident = $limit:literal;)?
        $(whole { $($whole:ident: $whole_form:ty,)* })?
        $(parts { $($(#[$part_doc:meta])* $part_with:ident($part:ident: $part_form:ty),)* })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Serialize)]
        pub struct $type {
            $(#[serde(skip)] $id: $id_form,)?
            $(#[serde(rename = $key)] $field: $form,)*
            $(#[serde(rename = $other_key, skip_serializing_if = "Option::is_none")]
            $other: Option<$other_form>,)*
            $($(#[serde(rename = $fixed_key)] $fixed: &'static str,)*)?
            $(#[serde(flatten)]
            $own: std::collections::BTreeMap<String, crate::services::values::Limited<$limit>>,)?
            $($(#[serde(flatten)] $whole: $whole_form,)*)?
            $($(#[serde(flatten)] $part: Option<$part_form>,)*)?
        }

        impl $type {
            /// Makes the request with the fields that the vendor's page requires.
            #[must_use]
            pub fn new(
                $($id: $id_form,)?
                $($field: $form,)*
                $($($whole: $whole_form,)*)?
            ) -> Self {
                Self {
                    $($id,)?
                    $($field,)*
                    $($other: None,)*
                    $($($fixed: $value,)*)?
                    $($own: std::collections::BTreeMap::new(),)?
                    $($($whole,)*)?
                    $($($part: None,)*)?
                }
            }

            $($(#[$may])*
            #[must_use]
            pub fn $with(mut self, $other: $other_form) -> Self {
                self.$other = Some($other);
                self
            })*

            $($($(#[$part_doc])*
            #[must_use]
            pub fn $part_with(mut self, $part: $part_form) -> Self {
                self.$part = Some($part);
                self
            })*)?
        }

        impl crate::operation::Operation for $type {
            const NAME: &'static str = $name;
            const PATH: Option<&'static str> = $path;
            const AUTH: crate::operation::Auth = $auth;
            const CLASS: crate::operation::Class = crate::operation::Class::$class;
            const EVIDENCE: crate::evidence::Evidence = crate::evidence::Evidence::$evidence;
            $(const METHOD: http::Method = http::Method::$method;)?
            $(const REFERENCE_FIELD: Option<&'static str> = Some($reference);)?
            type Reply = $reply;

            fn encode(&self) -> Result<crate::secret::Body, crate::error::EncodeError> {
                crate::secret::Body::json(self)
            }

            fn decode(
                success: crate::wire::Success<'_>,
            ) -> Result<Self::Reply, crate::error::Malformed> {
                success.payload()
            }

            $(fn reference(&self) -> Option<String> {
                Some(self.$id.as_str().to_owned())
            })?
        }
    };
}

/// A reply: the fields that the page prints, each of which may be missing.
macro_rules! reply {
    (
        $(#[$meta:meta])*
        $type:ident { $($(#[$doc:meta])* $field:ident: $form:ty = $key:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Deserialize)]
        #[non_exhaustive]
        pub struct $type {
            $($(#[$doc])*
            #[serde(rename = $key, default)]
            pub $field: Option<$form>,)*
        }
    };
}

/// A word of a reply. The list is open: another word is kept as it was written.
macro_rules! open {
    (
        $(#[$meta:meta])*
        $type:ident { $($(#[$doc:meta])* $word:ident = $($text:literal)|+,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $type {
            $($(#[$doc])* $word,)*
            /// Another word, which the pages do not print.
            Other(crate::services::values::Found),
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let found = crate::services::values::Found::deserialize(deserializer)?;
                Ok(match found.as_str() {
                    $($($text)|+ => Self::$word,)*
                    _ => Self::Other(found),
                })
            }
        }
    };
}

pub(in crate::services) use {open, reply, request};
