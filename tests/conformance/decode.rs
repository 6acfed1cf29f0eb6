//! Reads answers as the Go clients do, and fails where they would, or where they would quietly go on with an empty object.
//!
//! What they do: below 400 is no error; 404 and 400 become errors of their own with the body's `message`; from 400 upwards
//! everything else is shown with its body as it stands. A body is decoded from 200 to 299 but for 204, and only when the media
//! type is JSON. `null` leaves a field as it is, unknown members are ignored, names match in any case. Integers have neither
//! point nor exponent; key versions are strings; a time is RFC 3339, and an empty one is an error.

use core::fmt::Display;
use serde_json::Value;
use strongroom_tests::Answer;

/// The type of a field.
pub(crate) enum Kind {
    Text,
    Int,
    Bool,
    Time,
    Texts,
    /// Names and texts.
    Map,
    Object(&'static Shape),
    Objects(&'static Shape),
}

/// A struct that clients decode into.
pub(crate) struct Shape {
    pub(crate) fields: &'static [(&'static str, Kind)],
    /// What clients build on: it must be there, and be neither null nor an empty text.
    pub(crate) always: &'static [&'static str],
}

/// An object of this shape, with this status.
#[track_caller]
pub(crate) fn object(answer: &Answer, status: u16, shape: &Shape) -> Value {
    try_object(answer, status, shape).unwrap_or_else(|what| panic!("{what}: {answer:?}"))
}

/// A bare list of objects of this shape.
#[track_caller]
pub(crate) fn list(answer: &Answer, shape: &Shape) -> Vec<Value> {
    try_list(answer, shape).unwrap_or_else(|what| panic!("{what}: {answer:?}"))
}

/// Success without a body.
#[track_caller]
pub(crate) fn nothing(answer: &Answer) {
    assert_eq!(answer.status, 204, "{answer:?}");
    let length = answer.header("content-length");
    assert!(answer.body.is_empty() && matches!(length, None | Some("0")), "a body with 204: {answer:?}");
}

/// The error that clients take for "it is gone"; gives its message.
#[track_caller]
pub(crate) fn not_found(answer: &Answer) -> String {
    message(answer, 404).unwrap_or_else(|what| panic!("{what}: {answer:?}"))
}

/// The error that clients take for "the request is wrong"; gives its message.
#[track_caller]
pub(crate) fn bad_request(answer: &Answer) -> String {
    message(answer, 400).unwrap_or_else(|what| panic!("{what}: {answer:?}"))
}

/// Any other error, as it is shown to a person.
#[track_caller]
pub(crate) fn shown(answer: &Answer, status: u16) -> String {
    assert!(status >= 400 && !matches!(status, 400 | 404), "{status} is not shown as it stands");
    let text = message(answer, status).unwrap_or_else(|what| panic!("{what}: {answer:?}"));
    assert!(answer.text().contains(&text), "{answer:?}");
    format!("server returned status {status}: {}", answer.text())
}

fn try_object(answer: &Answer, status: u16, shape: &Shape) -> Result<Value, String> {
    let value = result(answer, status)?;
    struct_of(shape, &value, "")?;
    Ok(value)
}

fn try_list(answer: &Answer, shape: &Shape) -> Result<Vec<Value>, String> {
    match result(answer, 200)? {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                struct_of(shape, item, &format!("[{at}]"))?;
            }
            Ok(items)
        }
        _ => Err("no bare list".to_owned()),
    }
}

/// The body of a success.
fn result(answer: &Answer, status: u16) -> Result<Value, String> {
    if matches!(answer.status, 300..=399) {
        return Err("a redirect, which is followed, and a POST becomes a GET".to_owned());
    }
    if answer.status != status {
        return Err(format!("status {} instead of {status}", answer.status));
    }
    json(answer)
}

fn json(answer: &Answer) -> Result<Value, String> {
    if answer.header("content-encoding").is_some() {
        return Err("`Content-Encoding`: an answer is sent as it is".to_owned());
    }
    let media_type = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let media_type = media_type.split(';').next().unwrap_or_default();
    let subtype = media_type.strip_prefix("application/").or_else(|| media_type.strip_prefix("text/"));
    if !subtype.is_some_and(|subtype| subtype.contains("json")) {
        return Err(format!("`Content-Type` is {media_type:?}: the body is not decoded at all"));
    }
    serde_json::from_slice(&answer.body).map_err(|error| format!("the body is no JSON ({error})"))
}

fn message(answer: &Answer, status: u16) -> Result<String, String> {
    if answer.status != status {
        return Err(format!("status {} instead of {status}", answer.status));
    }
    match json(answer)?.get("message").and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("`message` is no text".to_owned()),
    }
}

/// `place`: where the object stands; empty for the whole body.
fn struct_of(shape: &Shape, value: &Value, place: &str) -> Result<(), String> {
    let Value::Object(members) = value else { return Err(wrong(place, "an object", value)) };
    let inside = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    for name in shape.always {
        match members.get(*name) {
            None | Some(Value::Null) => return Err(format!("`{}` is missing", inside(name))),
            Some(Value::String(text)) if text.is_empty() => return Err(format!("`{}` is empty", inside(name))),
            Some(_) => {}
        }
    }
    for (name, member) in members {
        let field = shape.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        match field {
            Some((field, kind)) if field == name => fits(kind, member, &inside(name))?,
            Some((field, _)) => return Err(format!("`{}` is decoded as `{field}`", inside(name))),
            None => {}
        }
    }
    Ok(())
}

fn fits(kind: &Kind, value: &Value, place: &str) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    let known = |fine: bool, wanted: &str| if fine { Ok(()) } else { Err(wrong(place, wanted, value)) };
    match kind {
        Kind::Text => known(value.is_string(), "a string"),
        Kind::Int => known(value.is_i64(), "an integer"),
        Kind::Bool => known(value.is_boolean(), "true or false"),
        Kind::Time => known(value.as_str().is_some_and(is_time), "a time in RFC 3339"),
        Kind::Texts => each(value, place, |item, place| fits(&Kind::Text, item, place)),
        Kind::Objects(shape) => each(value, place, |item, place| struct_of(shape, item, place)),
        Kind::Object(shape) => struct_of(shape, value, place),
        Kind::Map => {
            let Value::Object(members) = value else { return Err(wrong(place, "an object", value)) };
            members.iter().try_for_each(|(name, member)| fits(&Kind::Text, member, &format!("{place}.{name}")))
        }
    }
}

fn each(value: &Value, place: &str, check: impl Fn(&Value, &str) -> Result<(), String>) -> Result<(), String> {
    let Value::Array(items) = value else { return Err(wrong(place, "a list", value)) };
    items.iter().enumerate().try_for_each(|(at, item)| check(item, &format!("{place}[{at}]")))
}

fn wrong(place: &str, wanted: &str, found: impl Display) -> String {
    let place = if place.is_empty() { "the body".to_owned() } else { format!("`{place}`") };
    format!("{place} is not {wanted}: {found}")
}

/// Whether Go's `time.Time` decodes this text, and to something else than its zero.
fn is_time(text: &str) -> bool {
    let number = |range: core::ops::Range<usize>, most: u32| -> Option<u32> {
        let digits = text.get(range).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse().ok().filter(|number| *number <= most)
    };
    let separated = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    if separated.iter().any(|(at, separator)| text.get(*at..at + 1) != Some(*separator)) {
        return false;
    }
    let (Some(year), Some(month), Some(day)) = (number(0..4, 9999), number(5..7, 12), number(8..10, 31)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if month == 0 || day == 0 || day > days || year <= 1 {
        return false;
    }
    if number(11..13, 23).is_none() || number(14..16, 59).is_none() || number(17..19, 59).is_none() {
        return false;
    }
    let rest = text.get(19..).unwrap_or_default();
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    if zone == "Z" {
        return true;
    }
    let at = text.len() - zone.len();
    zone.len() == 6
        && zone.starts_with(['+', '-'])
        && zone.get(3..4) == Some(":")
        && number(at + 1..at + 3, 23).is_some()
        && number(at + 4..at + 6, 59).is_some()
}

static INNER: Shape = Shape { fields: &[("identity", Kind::Text)], always: &["identity"] };
static SAMPLE: Shape = Shape {
    fields: &[
        ("name", Kind::Text),
        ("count", Kind::Int),
        ("on", Kind::Bool),
        ("at", Kind::Time),
        ("names", Kind::Texts),
        ("labels", Kind::Map),
        ("inner", Kind::Object(&INNER)),
        ("inners", Kind::Objects(&INNER)),
    ],
    always: &["name"],
};

fn answer(status: u16, media_type: &str, body: &str) -> Answer {
    let headers = vec![("content-type".to_owned(), media_type.to_owned())];
    Answer { status, headers, body: body.as_bytes().to_vec() }
}

#[test]
fn what_clients_decode() {
    for body in [
        r#"{"name":"a"}"#,
        r#"{"name":"a","unknown":{"at":""},"count":null,"on":null,"at":null,"names":null,"labels":null,"inner":null}"#,
        r#"{"name":"a","count":-3,"on":false,"at":"2027-01-15T08:00:00Z","names":[],"labels":{},"inners":[]}"#,
        r#"{"name":"a","at":"2028-02-29T23:59:59.123456789+02:00","names":["x",""],"labels":{"k":"","l":null}}"#,
        r#"{"name":"a","inner":{"identity":"i","more":1},"inners":[{"identity":"i"}]}"#,
    ] {
        for media_type in
            ["application/json", "application/json; charset=utf-8", "text/x-json", "Application/problem+JSON"]
        {
            assert_eq!(try_object(&answer(201, media_type, body), 201, &SAMPLE).err(), None, "{body} {media_type}");
        }
    }
    assert_eq!(try_list(&answer(200, "application/json", "[]"), &SAMPLE), Ok(Vec::new()));
}

#[test]
fn what_breaks_a_rule_is_named() {
    for (body, expected) in [
        ("{}", "`name` is missing"),
        (r#"{"name":null}"#, "`name` is missing"),
        (r#"{"name":""}"#, "`name` is empty"),
        (r#"{"Name":"a","name":"b"}"#, "`Name` is decoded as `name`"),
        (r#"{"name":1}"#, "`name` is not a string: 1"),
        (r#"{"name":"a","count":"1"}"#, "`count` is not an integer: \"1\""),
        (r#"{"name":"a","count":1.0}"#, "`count` is not an integer: 1.0"),
        (r#"{"name":"a","count":1e2}"#, "`count` is not an integer: 100.0"),
        (r#"{"name":"a","count":9223372036854775808}"#, "`count` is not an integer: 9223372036854775808"),
        (r#"{"name":"a","on":"true"}"#, "`on` is not true or false: \"true\""),
        (r#"{"name":"a","at":""}"#, "`at` is not a time in RFC 3339: \"\""),
        (r#"{"name":"a","names":{}}"#, "`names` is not a list: {}"),
        (r#"{"name":"a","names":["x",2]}"#, "`names[1]` is not a string: 2"),
        (r#"{"name":"a","labels":{"k":2}}"#, "`labels.k` is not a string: 2"),
        (r#"{"name":"a","labels":[]}"#, "`labels` is not an object: []"),
        (r#"{"name":"a","inner":[]}"#, "`inner` is not an object: []"),
        (r#"{"name":"a","inner":{"identity":""}}"#, "`inner.identity` is empty"),
        (r#"{"name":"a","inners":[{"identity":"i"},{}]}"#, "`inners[1].identity` is missing"),
        ("[]", "the body is not an object: []"),
        ("", "the body is no JSON (EOF while parsing a value at line 1 column 0)"),
        (r#"{"name":"a"}{}"#, "the body is no JSON (trailing characters at line 1 column 13)"),
    ] {
        let found = try_object(&answer(200, "application/json", body), 200, &SAMPLE).err();
        assert_eq!(found.as_deref(), Some(expected), "{body}");
    }
    let good = r#"{"name":"a"}"#;
    for (status, media_type, expected) in [
        (200, "", "`Content-Type` is \"\": the body is not decoded at all"),
        (200, "text/plain", "`Content-Type` is \"text/plain\": the body is not decoded at all"),
        (200, "image/json", "`Content-Type` is \"image/json\": the body is not decoded at all"),
        (201, "application/json", "status 201 instead of 200"),
        (307, "application/json", "a redirect, which is followed, and a POST becomes a GET"),
    ] {
        assert_eq!(
            try_object(&answer(status, media_type, good), 200, &SAMPLE).err().as_deref(),
            Some(expected),
            "{status}"
        );
    }
    assert_eq!(try_list(&answer(200, "application/json", good), &SAMPLE).err().as_deref(), Some("no bare list"));
    let list = try_list(&answer(200, "application/json", r#"[{"name":"a"},{}]"#), &SAMPLE);
    assert_eq!(list.err().as_deref(), Some("`[1].name` is missing"));
    for body in ["{}", r#"{"message":""}"#, r#"{"message":1}"#, r#"{"Message":"a"}"#] {
        let found = message(&answer(404, "application/json", body), 404).err();
        assert_eq!(found.as_deref(), Some("`message` is no text"), "{body}");
    }
}

#[test]
fn times_that_go_refuses() {
    for good in ["2027-01-15T08:00:00Z", "2000-02-29T00:00:00.5Z", "2027-12-31T23:59:59-23:59"] {
        assert!(is_time(good), "{good}");
    }
    for bad in [
        "",
        "0001-01-01T00:00:00Z",
        "2027-01-15",
        "2027-01-15T08:00:00",
        "2027-01-15 08:00:00Z",
        "2027-01-15t08:00:00z",
        "2027-1-15T08:00:00Z",
        "2027-01-15T8:00:00Z",
        "2027-02-29T08:00:00Z",
        "1900-02-29T08:00:00Z",
        "2027-04-31T08:00:00Z",
        "2027-13-01T08:00:00Z",
        "2027-00-01T08:00:00Z",
        "2027-01-00T08:00:00Z",
        "2027-01-15T24:00:00Z",
        "2027-01-15T08:60:00Z",
        "2027-01-15T08:00:60Z",
        "2027-01-15T08:00:00.Z",
        "2027-01-15T08:00:00,5Z",
        "2027-01-15T08:00:00+0200",
        "2027-01-15T08:00:00+02",
        "2027-01-15T08:00:00+24:00",
        "2027-01-15T08:00:00Zx",
        "+027-01-15T08:00:00Z",
        "1800000000",
    ] {
        assert!(!is_time(bad), "{bad}");
    }
}
