//! What texts and maps look like that stand in many types, for the schemas of an OpenAPI document. Nobody has values of them.

use std::borrow::Cow;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, Array, ArrayBuilder, ObjectBuilder, SchemaType, Type,
};
use utoipa::openapi::{KnownFormat, Ref, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// A text as people read it: not empty, without control characters.
const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$";
const LABEL_KEY: &str = "^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$";
/// No segment is `.` or `..`.
const PATH: &str = r"^(/(\.{0,2}[A-Za-z0-9_+-][A-Za-z0-9_.+-]*|\.{3}[A-Za-z0-9_.+-]*))+$";
const DIRECTORY: &str = r"^(/(\.{0,2}[A-Za-z0-9_+-][A-Za-z0-9_.+-]*|\.{3}[A-Za-z0-9_.+-]*))*/?$";

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn time() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

fn base64() -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::Byte);
    text().format(Some(format)).content_encoding("base64")
}

/// A map from texts to others.
fn map(keys: ObjectBuilder, values: impl Into<RefOr<Schema>>, most: usize) -> ObjectBuilder {
    let values = AdditionalProperties::RefOr(values.into());
    ObjectBuilder::new()
        .property_names(Some(keys.build()))
        .additional_properties(Some(values))
        .max_properties(Some(most))
}

fn label_key() -> ObjectBuilder {
    text().pattern(Some(LABEL_KEY)).min_length(Some(1)).max_length(Some(317))
}

/// A text, or null to remove what is there.
fn or_null(longest: Option<usize>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null])).max_length(longest)
}

fn version_or_etag() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Integer, Type::String]))
        .minimum(Some(1))
        .maximum(Some(i64::MAX))
}

macro_rules! schemas {
    ($($(#[doc = $doc:literal])* $name:ident => $schema:expr;)*) => {$(
        $(#[doc = $doc])*
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let description = concat!($($doc, "\n",)*).trim();
                Schema::from(($schema).description(Some(description)).build()).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

schemas! {
    /// Standard base64 with padding.
    Base64 => base64();
    /// The path of a secret, such as `/app/production/db`.
    SecretPath => text().pattern(Some(PATH)).min_length(Some(2)).max_length(Some(512));
    /// A directory of paths, such as `/app/production/`.
    Directory => text().pattern(Some(DIRECTORY)).min_length(Some(1)).max_length(Some(513));
    /// The name of an object.
    Name => text().pattern(Some(NAME)).min_length(Some(1)).max_length(Some(255));
    /// A description.
    Description => text().max_length(Some(1024));
    /// A slug, which can stand for the identity in URLs; an empty one counts as none.
    Slug => text().pattern(Some("^([a-z0-9]+(-[a-z0-9]+)*)?$")).max_length(Some(63));
    /// A time (RFC 3339).
    Time => time();
    /// A time (RFC 3339); an empty text counts as none.
    TimeOrNone => AnyOfBuilder::new().item(time()).item(text().max_length(Some(0)));
    /// The number of a key version, written as a string.
    KeyVersion => text().pattern(Some("^[1-9][0-9]{0,9}$"));
    /// What a key is, and so what it can do.
    KeyType => text().enum_values(Some([
        "aes256-gcm96", "aes128-gcm96", "chacha20-poly1305", "rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-p256", "ecdsa-p384",
        "ecdsa-p521", "ed25519", "hmac", "hmac-sha256", "hmac-sha512",
    ]));
    /// A hash: `sha256`, `sha384` or `sha512`, also written `sha-256` or `sha2-256`, in any case.
    Hash => text().pattern(Some("^[sS][hH][aA](-|2-)?(256|384|512)$"));
    /// Labels by key.
    Labels => map(label_key(), text().pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]*$")).max_length(Some(255)), 64);
    /// Annotations by key; at most 16 KiB in all.
    Annotations => map(label_key(), text(), 64);
    /// Labels by key; null removes the one of that key.
    LabelChanges => map(label_key(), or_null(Some(255)), 64);
    /// Annotations by key; null removes the one of that key.
    AnnotationChanges => map(label_key(), or_null(None), 64);
    /// Named values, each base64; together at most as many bytes as a value may have.
    KeyValues => map(
        text().pattern(Some("^[A-Za-z0-9_./-]+$")).min_length(Some(1)).max_length(Some(256)),
        base64(),
        256,
    );
    /// The members of BoundRole, or none of them.
    BoundIfAny => ObjectBuilder::new()
        .property("role", Ref::from_schema_name("IdentityAndName"))
        .property("binding", Ref::from_schema_name("IdentityAndName"))
        .property("team", Ref::from_schema_name("IdentityAndName"));
    /// What became of one value among several: `ok`, `unchanged` (the caller knows it), `denied`, `missing` or `failed`.
    ValueStatus => text().enum_values(Some(["ok", "unchanged", "denied", "missing", "failed"]));
    /// What the caller has already, by path: the number of a version, or the `etag` of a value.
    KnownValues => ObjectBuilder::new().additional_properties(Some(AdditionalProperties::RefOr(version_or_etag().into())));
    /// Claims of a token, each with the value that it must have.
    Claims => ObjectBuilder::new();
    /// What says who may reveal and put values, from where and when: one of `conditions`, `allowed` and `denied`, and `statements`. An
    /// empty object clears it.
    AccessPolicy => ObjectBuilder::new()
        .property("conditions", entries("IP and time conditions, each with `type`, `effect` and its own members."))
        .property("allowed", entries("IP and time conditions of which one must hold."))
        .property("denied", entries("IP and time conditions of which none may hold."))
        .property("statements", entries("Each with `effect`, `actions` and `principals`."))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
}

/// A list of a policy.
fn entries(description: &str) -> Array {
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(ObjectBuilder::new())
        .max_items(Some(64))
        .description(Some(description))
        .build()
}
