//! IP and time conditions, in the flat form of `conditions` and the nested one of `allowed` and `denied`.

use super::evaluate::{Effect, Entry, Operations, Test, Window};
use super::fields::{Fields, quoted};
use super::parse::{PolicyError, within_policy};
use crate::document::Document;
use core::net::IpAddr;
use ipnet::{IpNet, Ipv4Net};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

/// The zones of the build itself, never the machine's: a decision is the same on every node.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

const LAST_HOUR: u8 = 24;

/// `{"type": "ip", "effect": "allow", "cidrs": […]}` or
/// `{"type": "time", "effect": "deny", "startHour": 8, "endHour": 18, "timezone": "Europe/Amsterdam"}`.
pub(super) fn flat(place: &str, document: &Document) -> Result<Entry, PolicyError> {
    let known = ["type", "effect", "cidrs", "startHour", "endHour", "timezone"];
    let fields = Fields::open(place, document, &known)?;
    let test = match kind(&fields)? {
        Kind::Ip => {
            fields.only("ip", &["type", "effect", "cidrs"])?;
            client(&fields, "cidrs")?
        }
        Kind::Time => {
            fields.only("time", &["type", "effect", "startHour", "endHour", "timezone"])?;
            hours(&fields)?
        }
    };
    let remedy = "set it to `allow` or `deny`";
    let effect = match fields.text("effect", remedy)? {
        "allow" => Effect::Allow,
        "deny" => Effect::Deny,
        other => {
            let reason = format!("{} is not an effect; {remedy}", quoted(other));
            return Err(PolicyError::new(&fields.place_of("effect"), reason));
        }
    };
    Ok(entry(place, effect, test))
}

/// `{"type": "ip", "ips": […]}` or `{"type": "time", "time": {"startHour": 8, "endHour": 18, "timezone": "UTC"}}`.
pub(super) fn nested(place: &str, document: &Document, effect: Effect) -> Result<Entry, PolicyError> {
    let fields = Fields::open(place, document, &["type", "ips", "time"])?;
    let test = match kind(&fields)? {
        Kind::Ip => {
            fields.only("ip", &["type", "ips"])?;
            client(&fields, "ips")?
        }
        Kind::Time => {
            fields.only("time", &["type", "time"])?;
            let window = fields.required("time", "give `startHour`, `endHour` and `timezone` in it")?;
            hours(&Fields::open(&fields.place_of("time"), window, &["startHour", "endHour", "timezone"])?)?
        }
    };
    Ok(entry(place, effect, test))
}

fn entry(place: &str, effect: Effect, test: Test) -> Entry {
    Entry { place: within_policy(place), effect, gates: Operations::BOTH, test }
}

enum Kind {
    Ip,
    Time,
}

fn kind(fields: &Fields<'_>) -> Result<Kind, PolicyError> {
    let remedy = "set it to `ip` or `time`";
    match fields.text("type", remedy)? {
        "ip" => Ok(Kind::Ip),
        "time" => Ok(Kind::Time),
        other => {
            let reason = format!("{} is not a type of condition; {remedy}", quoted(other));
            Err(PolicyError::new(&fields.place_of("type"), reason))
        }
    }
}

fn client(fields: &Fields<'_>, name: &str) -> Result<Test, PolicyError> {
    let texts = fields.texts(name)?;
    if texts.is_empty() {
        let reason = "names no address; give at least one CIDR block, such as `10.0.0.0/8`";
        return Err(PolicyError::new(&fields.place_of(name), reason));
    }
    texts.into_iter().map(|(place, text)| block(&place, text)).collect::<Result<_, _>>().map(Test::Client)
}

/// A CIDR block, or a single address without a prefix length.
fn block(place: &str, text: &str) -> Result<IpNet, PolicyError> {
    let net: IpNet = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        let reason = format!("{} is not a CIDR block; write it like `10.0.0.0/8` or `2001:db8::/32`", quoted(text));
        PolicyError::new(place, reason)
    })?;
    if net != net.trunc() {
        let reason = format!("{} has host bits set; write `{}`", quoted(text), net.trunc());
        return Err(PolicyError::new(place, reason));
    }
    Ok(canonical(net))
}

/// Addresses are compared in their canonical form, so a block of IPv4-mapped IPv6 addresses is one of IPv4 addresses.
fn canonical(net: IpNet) -> IpNet {
    let mapped = || {
        let IpAddr::V4(address) = net.network().to_canonical() else { return None };
        Ipv4Net::new(address, net.prefix_len().checked_sub(96)?).ok()
    };
    match net {
        IpNet::V4(_) => net,
        IpNet::V6(_) => mapped().map_or(net, IpNet::V4),
    }
}

fn hours(fields: &Fields<'_>) -> Result<Test, PolicyError> {
    let start = hour(fields, "startHour")?;
    let end = hour(fields, "endHour")?;
    // Hour 24 of a day is hour 0 of the next: as a start with the end 0 it leaves no hour either.
    if start == end || (start == LAST_HOUR && end == 0) {
        let reason = "leaves no hour; for the whole day set `startHour` to 0 and `endHour` to 24";
        return Err(PolicyError::new(&fields.place_of("endHour"), reason));
    }
    let remedy = "name a time zone such as `Europe/Amsterdam` or `UTC`";
    let name = fields.text("timezone", remedy)?;
    let zone = ZONES.get(name).ok().filter(|zone: &TimeZone| !zone.is_unknown()).ok_or_else(|| {
        let reason = format!("{} is not a time zone that is known; {remedy}", quoted(name));
        PolicyError::new(&fields.place_of("timezone"), reason)
    })?;
    Ok(Test::Hours { window: Window { start, end }, zone })
}

fn hour(fields: &Fields<'_>, name: &str) -> Result<u8, PolicyError> {
    let remedy = "set it to a whole hour from 0 to 24";
    match fields.required(name, remedy)? {
        Document::Integer(hour @ 0..=24) => Ok(u8::try_from(*hour).unwrap_or(LAST_HOUR)),
        _ => Err(PolicyError::new(&fields.place_of(name), format!("is not an hour; {remedy}"))),
    }
}
