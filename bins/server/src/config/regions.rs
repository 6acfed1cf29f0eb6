//! `[regions.NAME]`: which KMS serves a region.

use super::reader::{Entry, Problems, Section};
use super::{path, set};
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::Path;
use strongroom_domain::metadata::slug_of;
use strongroom_kms_transit::{
    TransitOptions, check_address, check_key_prefix, check_mount, check_namespace, check_proxy,
};

/// The longest that an operation of a remote KMS may take, in seconds.
const MAX_TIMEOUT_SECONDS: u64 = 60;

/// Which KMS serves a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RegionKms {
    /// The software KMS of this server.
    Local,
    /// The Transit engine of an OpenBao or Vault server.
    Transit(TransitOptions),
    /// None: keys and values of the region can't be used.
    None,
}

/// By slug.
pub(super) fn regions(
    section: &Section<'_, '_>,
    base: &Path,
    problems: &mut Problems<'_>,
) -> BTreeMap<String, RegionKms> {
    let mut regions = BTreeMap::new();
    for (slug, entry) in section.entries() {
        if let Err(rule) = region_slug(slug.get_ref()) {
            problems.add(Some(slug.span()), format!("region `{}` {rule}", slug.get_ref().escape_debug()));
        }
        let kms = region(entry.section(problems), base, problems);
        regions.insert(slug.get_ref().clone().into_owned(), kms);
    }
    regions
}

fn region(mut section: Section<'_, '_>, base: &Path, problems: &mut Problems<'_>) -> RegionKms {
    let (name, options) = (section.get("kms"), section.get("transit"));
    let kms = name.as_ref().map_or(Some("local"), |entry| entry.string(problems));
    let kms = match (kms, &name) {
        (Some("transit"), Some(name)) => match options {
            Some(options) => transit(options.section(problems), base, problems),
            None => {
                name.refuse(
                    "is \"transit\", which needs a section with `address` and `token_file` beside it",
                    problems,
                );
                RegionKms::None
            }
        },
        (kms, name) => {
            if let Some(options) = options {
                options.refuse("is only for `kms = \"transit\"`", problems);
            }
            match (kms, name) {
                (Some("none"), _) => RegionKms::None,
                (Some("local") | None, _) | (_, None) => RegionKms::Local,
                (Some(_), Some(name)) => {
                    name.refuse("must be \"local\", \"transit\" or \"none\"", problems);
                    RegionKms::Local
                }
            }
        }
    };
    section.finish(problems);
    kms
}

fn transit(mut section: Section<'_, '_>, base: &Path, problems: &mut Problems<'_>) -> RegionKms {
    let address = section.require("address", problems).and_then(|entry| entry.parsed(problems, checked(check_address)));
    let token_file = section.require("token_file", problems).and_then(|entry| path(&entry, base, problems));
    let mut options = TransitOptions::new(address.unwrap_or_default(), token_file.unwrap_or_default());
    set(&mut options.mount, section.get("mount"), text(check_mount), problems);
    set(&mut options.key_prefix, section.get("key_prefix"), text(check_key_prefix), problems);
    options.namespace = section.get("namespace").and_then(|entry| entry.parsed(problems, checked(check_namespace)));
    options.proxy = section.get("proxy").and_then(|entry| entry.parsed(problems, checked(check_proxy)));
    options.ca_file = section.get("ca_file").and_then(|entry| path(&entry, base, problems));
    let seconds = |entry: &Entry<'_, '_>, problems: &mut Problems<'_>| {
        entry.integer(&(1..=MAX_TIMEOUT_SECONDS), problems).map(Duration::from_secs)
    };
    set(&mut options.timeout, section.get("timeout_seconds"), seconds, problems);
    section.finish(problems);
    RegionKms::Transit(options)
}

fn checked(rule: fn(&str) -> Result<(), &'static str>) -> impl Fn(&str) -> Result<String, &'static str> {
    move |text| rule(text).map(|()| text.to_owned())
}

fn text(
    rule: fn(&str) -> Result<(), &'static str>,
) -> impl FnOnce(&Entry<'_, '_>, &mut Problems<'_>) -> Option<String> {
    move |entry, problems| entry.parsed(problems, checked(rule))
}

/// What a region may be called.
pub(crate) fn region_slug(text: &str) -> Result<String, &'static str> {
    if slug_of(text) == text {
        Ok(text.to_owned())
    } else {
        Err("must have 1 to 63 characters of a-z 0-9 and single hyphens between them, such as nl-01")
    }
}
