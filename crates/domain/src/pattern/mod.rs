//! Patterns over secret paths, as rules name them.

mod contains;

use crate::path::{Directory, SecretPath};

/// An entry of a rule's resource identities, compiled for matching secrets.
///
/// - A path matches itself.
/// - `*` matches any characters, also none, inside one segment: `/app/*/password`, `/app/*-db/x`.
/// - A trailing `/*` matches everything below at any depth, but not the directory itself.
/// - `**` as a segment matches any number of segments, also none: `/a/**/b` matches `/a/b` and `/a/x/y/b`; so `/a/**`
///   matches the secret `/a` too, which `/a/*` doesn't.
/// - `*` alone matches every secret.
/// - What begins neither with `/` nor is `*`, and what no path can equal (an empty segment, a foreign character), matches
///   no secret.
///
/// Matching takes time at most proportional to pattern length × path length, whatever the pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    entry: Box<str>,
    prefix: usize,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Nothing,
    Everything,
    Exact,
    Segments(Box<[Segment]>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Any number of segments.
    AnyDepth,
    /// Exactly one segment, whatever it is.
    Any,
    /// One segment with this text.
    Literal(Box<str>),
    /// One segment; `*` stands for any characters.
    Glob(Box<str>),
}

impl PathPattern {
    /// Compiles an entry. Every text is accepted; one that means nothing here matches nothing.
    #[must_use]
    pub fn new(entry: &str) -> Self {
        let (shape, prefix) = match entry.strip_prefix('/') {
            None if entry == "*" => (Shape::Everything, 0),
            None => (Shape::Nothing, entry.len()),
            Some(_) if !entry.contains('*') => {
                let shape = if entry.parse::<SecretPath>().is_ok() { Shape::Exact } else { Shape::Nothing };
                (shape, entry.len())
            }
            Some(body) => compile(body).map_or((Shape::Nothing, entry.len()), |segments| {
                let prefix = prefix_length(entry, &segments);
                (Shape::Segments(segments.into()), prefix)
            }),
        };
        Self { entry: entry.into(), prefix, shape }
    }

    /// The entry as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.entry
    }

    /// Whether the pattern matches the secret.
    #[must_use]
    pub fn matches(&self, path: &SecretPath) -> bool {
        match &self.shape {
            Shape::Nothing => false,
            Shape::Everything => true,
            Shape::Exact => *self.entry == *path.as_str(),
            Shape::Segments(segments) => {
                path.as_str().starts_with(self.literal_prefix()) && matches_from(segments, path.as_str().get(1..))
            }
        }
    }

    /// Whether the pattern surely matches every secret below the directory, at any depth. May be false when that isn't
    /// plain to see.
    #[must_use]
    pub fn covers(&self, directory: &Directory) -> bool {
        match &self.shape {
            Shape::Nothing | Shape::Exact => false,
            Shape::Everything => true,
            Shape::Segments(segments) => positions_below(segments, directory)
                .any(|rest| matches!(rest, [Segment::AnyDepth] | [Segment::Any, Segment::AnyDepth])),
        }
    }

    /// A text that every matching path begins with, as long as is plain to see: a key to seek from.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        if self.shape == Shape::Everything { "/" } else { &self.entry[..self.prefix] }
    }

    /// A text that every matching path ends with, as long as is plain to see.
    #[must_use]
    pub fn literal_suffix(&self) -> &str {
        self.entry.rsplit('*').next().unwrap_or_default()
    }

    /// A text that every matching path below the directory begins with, itself beginning with the directory. `None` when
    /// the pattern matches nothing there.
    #[must_use]
    pub fn literal_prefix_below<'a>(&'a self, directory: &'a Directory) -> Option<&'a str> {
        let prefix = self.literal_prefix();
        let below = match &self.shape {
            Shape::Nothing => false,
            Shape::Everything => true,
            Shape::Exact => prefix.starts_with(directory.as_str()),
            Shape::Segments(segments) => positions_below(segments, directory).any(|rest| !rest.is_empty()),
        };
        below.then(|| if prefix.starts_with(directory.as_str()) { prefix } else { directory.as_str() })
    }
}

/// The segments of a pattern without its leading slash. `None` when no path can match.
fn compile(body: &str) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    for text in body.split('/') {
        let segment = match text {
            "**" => Segment::AnyDepth,
            _ if !text.is_empty() && text.bytes().all(|byte| byte == b'*') => Segment::Any,
            _ if text.contains('*') => Segment::Glob(text.into()),
            _ => {
                format!("/{text}").parse::<SecretPath>().ok()?;
                Segment::Literal(text.into())
            }
        };
        // `**` goes behind the single segments of its run, once: `/**/*` and `/*/**` mean the same.
        match segment {
            Segment::AnyDepth if segments.last() == Some(&Segment::AnyDepth) => {}
            Segment::Any if segments.last() == Some(&Segment::AnyDepth) => {
                segments.insert(segments.len() - 1, Segment::Any);
            }
            segment => segments.push(segment),
        }
    }
    let everything_below = body == "*" || body.ends_with("/*");
    if everything_below && segments.last() != Some(&Segment::AnyDepth) {
        segments.push(Segment::AnyDepth);
    }
    Some(segments)
}

/// How much of the entry is literal. `**` may stand for no segment at all: then a path may end before the slash.
fn prefix_length(entry: &str, segments: &[Segment]) -> usize {
    let literal = entry.find('*').unwrap_or(entry.len());
    let first_wild = segments.iter().position(|segment| !matches!(segment, Segment::Literal(_)));
    let may_end_before = first_wild.is_some_and(|first| segments[first..] == [Segment::AnyDepth]);
    if may_end_before { literal.saturating_sub(1).max(1) } else { literal }
}

/// Whether the segments match the text: segments joined by slashes, or none at all.
///
/// A mismatch goes back to the latest `**` only: what stood before it has found its earliest place, and any later one
/// would leave less to choose from.
fn matches_from(segments: &[Segment], text: Option<&str>) -> bool {
    let (mut next, mut rest) = (0, text);
    let mut retry: Option<(usize, Option<&str>)> = None;
    loop {
        match (segments.get(next), rest) {
            (Some(Segment::AnyDepth), _) => {
                next += 1;
                if next == segments.len() {
                    return true;
                }
                retry = Some((next, rest));
                continue;
            }
            (None, None) => return true,
            (Some(segment), Some(text)) => {
                let (first, following) = split_first(text);
                if segment.matches(first) {
                    (next, rest) = (next + 1, following);
                    continue;
                }
            }
            _ => {}
        }
        let Some((after, Some(text))) = retry else { return false };
        let (_, following) = split_first(text);
        retry = Some((after, following));
        (next, rest) = (after, following);
    }
}

fn split_first(text: &str) -> (&str, Option<&str>) {
    text.split_once('/').map_or((text, None), |(first, following)| (first, Some(following)))
}

/// What may be left of the pattern once the directory's own segments are matched, in every way in which they can be.
fn positions_below<'a>(segments: &'a [Segment], directory: &Directory) -> impl Iterator<Item = &'a [Segment]> {
    let mut reached = vec![false; segments.len() + 1];
    reached[0] = true;
    let names = directory.as_str().split('/').filter(|name| !name.is_empty());
    for name in names {
        skip_any_depth(segments, &mut reached);
        let mut following = vec![false; segments.len() + 1];
        for (at, segment) in segments.iter().enumerate().filter(|(at, _)| reached[*at]) {
            match segment {
                Segment::AnyDepth => following[at] = true,
                segment if segment.matches(name) => following[at + 1] = true,
                _ => {}
            }
        }
        reached = following;
    }
    skip_any_depth(segments, &mut reached);
    (0..=segments.len()).filter(move |at| reached[*at]).map(|at| &segments[at..])
}

fn skip_any_depth(segments: &[Segment], reached: &mut [bool]) {
    for (at, segment) in segments.iter().enumerate() {
        if reached[at] && *segment == Segment::AnyDepth {
            reached[at + 1] = true;
        }
    }
}

impl Segment {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::AnyDepth | Self::Any => true,
            Self::Literal(text) => **text == *name,
            Self::Glob(glob) => glob_matches(glob.as_bytes(), name.as_bytes()),
        }
    }
}

/// `*` stands for any bytes. A mismatch goes back to the latest star only, as in [`matches_from`].
fn glob_matches(glob: &[u8], name: &[u8]) -> bool {
    let (mut next, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < name.len() {
        match glob.get(next) {
            Some(b'*') => {
                next += 1;
                retry = Some((next, at));
            }
            Some(byte) if *byte == name[at] => {
                next += 1;
                at += 1;
            }
            _ => {
                let Some((after, from)) = retry else { return false };
                retry = Some((after, from + 1));
                (next, at) = (after, from + 1);
            }
        }
    }
    glob[next..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
pub(crate) mod tests {
    use super::PathPattern;
    use crate::path::{Directory, SecretPath};
    use proptest::prelude::*;

    /// The rule's words, one after the other, over the entry as it is written.
    pub(crate) fn naive_matches(entry: &str, path: &str) -> bool {
        if entry == "*" {
            return true;
        }
        let Some(body) = entry.strip_prefix('/') else { return false };
        let pattern: Vec<&str> = body.split('/').collect();
        let segments: Vec<&str> = path[1..].split('/').collect();
        naive_segments(&pattern, &segments)
    }

    fn naive_segments(pattern: &[&str], path: &[&str]) -> bool {
        match pattern {
            [] => path.is_empty(),
            ["*"] => !path.is_empty(),
            ["**", rest @ ..] => (0..=path.len()).any(|skipped| naive_segments(rest, &path[skipped..])),
            [first, rest @ ..] => {
                !path.is_empty() && naive_characters(first, path[0]) && naive_segments(rest, &path[1..])
            }
        }
    }

    fn naive_characters(pattern: &str, name: &str) -> bool {
        let mut characters = pattern.chars();
        match characters.next() {
            None => name.is_empty(),
            Some('*') => (0..=name.len()).any(|skipped| naive_characters(characters.as_str(), &name[skipped..])),
            Some(first) => name.strip_prefix(first).is_some_and(|rest| naive_characters(characters.as_str(), rest)),
        }
    }

    /// Patterns of few letters, so that they match now and then; some odd.
    pub(crate) fn entries() -> impl Strategy<Value = String> {
        let segment = prop_oneof![
            4 => "[ab]{1,2}",
            3 => Just("*".to_owned()),
            3 => Just("**".to_owned()),
            2 => "[ab*]{1,5}",
            1 => Just("***".to_owned()),
        ];
        prop_oneof![
            12 => proptest::collection::vec(segment, 1..6).prop_map(|segments| format!("/{}", segments.join("/"))),
            1 => Just("*".to_owned()),
            2 => "[ab*/.ä]{0,8}",
        ]
    }

    pub(crate) fn paths() -> impl Strategy<Value = SecretPath> {
        "(/[ab]{1,3}){1,5}".prop_map(|text| text.parse().expect("legal"))
    }

    pub(crate) fn directories() -> impl Strategy<Value = Directory> {
        "(/[ab]{1,2}){0,3}/".prop_map(|text| text.parse().expect("legal"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn agrees_with_the_naive_matcher(entry in entries(), path in paths()) {
            prop_assert_eq!(PathPattern::new(&entry).matches(&path), naive_matches(&entry, path.as_str()));
        }

        #[test]
        fn matches_begin_and_end_with_the_literal_texts(entry in entries(), path in paths()) {
            let pattern = PathPattern::new(&entry);
            if pattern.matches(&path) {
                prop_assert!(path.as_str().starts_with(pattern.literal_prefix()), "{}", pattern.literal_prefix());
                prop_assert!(path.as_str().ends_with(pattern.literal_suffix()), "{}", pattern.literal_suffix());
            }
        }

        #[test]
        fn what_is_covered_is_matched(entry in entries(), directory in directories(), below in paths()) {
            let pattern = PathPattern::new(&entry);
            let path: SecretPath = format!("{directory}{}", &below.as_str()[1..]).parse().expect("legal");
            if pattern.covers(&directory) {
                prop_assert!(pattern.matches(&path), "{}", path);
            }
            match pattern.literal_prefix_below(&directory) {
                Some(prefix) => {
                    prop_assert!(prefix.starts_with(directory.as_str()), "{}", prefix);
                    prop_assert!(!pattern.matches(&path) || path.as_str().starts_with(prefix), "{}", prefix);
                }
                None => prop_assert!(!pattern.matches(&path) && !pattern.covers(&directory), "{}", path),
            }
        }

        #[test]
        fn any_text_is_accepted(entry in "\\PC{0,20}", path in paths()) {
            let pattern = PathPattern::new(&entry);
            prop_assert_eq!(pattern.matches(&path), naive_matches(&entry, path.as_str()));
            prop_assert_eq!(pattern.as_str(), entry);
        }

        #[test]
        fn a_path_matches_itself_only(path in paths(), other in paths()) {
            let pattern = PathPattern::new(path.as_str());
            prop_assert!(pattern.matches(&path));
            prop_assert_eq!(pattern.matches(&other), path == other);
        }
    }

    #[test]
    fn examples() {
        for (entry, path, expected) in [
            ("/app/x", "/app/x", true),
            ("/app/x", "/app/x/y", false),
            ("/app/x", "/app/X", false),
            ("/app/*", "/app", false),
            ("/app/*", "/app/x", true),
            ("/app/*", "/app/x/y/z", true),
            ("/app/*", "/apple", false),
            ("/app/*/x", "/app/a/x", true),
            ("/app/*/x", "/app/a/b/x", false),
            ("/app/*-db/x", "/app/main-db/x", true),
            ("/app/*-db/x", "/app/-db/x", true),
            ("/app/*-db/x", "/app/a/b-db/x", false),
            ("/app/pre*", "/app/prefix", true),
            ("/app/pre*", "/app/prefix/x", false),
            ("/a/**/b", "/a/b", true),
            ("/a/**/b", "/a/x/y/b", true),
            ("/a/**/b", "/a/x/y/c", false),
            ("/a/**", "/a", true),
            ("/a/**", "/a/b/c", true),
            ("/a/**", "/ab", false),
            ("/**/*", "/a", true),
            ("/a/**/*", "/a", false),
            ("/a/b**", "/a/b/c", false),
            ("*", "/a", true),
            ("/*", "/a/b", true),
            ("a/*", "/a/b", false),
            ("**", "/a", false),
            ("", "/a", false),
            ("/", "/a", false),
            ("/a/", "/a", false),
            ("//*", "/a", false),
            ("/a/*/", "/a/b", false),
        ] {
            let path: SecretPath = path.parse().expect("legal");
            assert_eq!(PathPattern::new(entry).matches(&path), expected, "{entry} {path}");
        }
    }

    #[test]
    fn covered_directories() {
        for (entry, directory, expected) in [
            ("*", "/", true),
            ("/*", "/", true),
            ("/**", "/", true),
            ("/*/*", "/", false),
            ("/*/*", "/app", true),
            ("/app/*", "/", false),
            ("/app/*", "/app", true),
            ("/app/*", "/app/prod/db", true),
            ("/app/*", "/apple", false),
            ("/app/**", "/app", true),
            ("/app/**/*", "/app", true),
            ("/app/**/db/*", "/app", false),
            ("/app/**/db/*", "/app/x/db/y", true),
            ("/app/*/x", "/app", false),
            ("/app", "/app", false),
        ] {
            let directory: Directory = directory.parse().expect("legal");
            assert_eq!(PathPattern::new(entry).covers(&directory), expected, "{entry} {directory}");
        }
    }

    #[test]
    fn literal_prefixes() {
        for (entry, prefix) in [
            ("*", "/"),
            ("/*", "/"),
            ("/**", "/"),
            ("/app/x", "/app/x"),
            ("/app/*", "/app/"),
            ("/app/pre*", "/app/pre"),
            ("/app/**", "/app"),
            ("/app/**/x", "/app/"),
            ("/app/*-db/x", "/app/"),
        ] {
            assert_eq!(PathPattern::new(entry).literal_prefix(), prefix, "{entry}");
        }
    }

    #[test]
    fn a_pattern_elsewhere_has_no_prefix_below() {
        let app: Directory = "/app".parse().expect("legal");
        for entry in ["/app", "/other/*", "/ap*", "/app/", "app/*", "/*/../x"] {
            assert_eq!(PathPattern::new(entry).literal_prefix_below(&app), None, "{entry}");
        }
        assert_eq!(PathPattern::new("/app/x*").literal_prefix_below(&app), Some("/app/x"));
        assert_eq!(PathPattern::new("/**/x").literal_prefix_below(&app), Some("/app/"));
    }

    /// Backtracking over each star would take longer than the universe is old.
    #[test]
    fn many_stars_end_soon() {
        let globs = format!("/{}c", "*a".repeat(200));
        let depths = format!("/{}c", "**/a/".repeat(200));
        let long: SecretPath = format!("/{}", "a".repeat(511)).parse().expect("legal");
        let deep: SecretPath = "/a".repeat(256).parse().expect("legal");
        assert!(!PathPattern::new(&globs).matches(&long));
        assert!(!PathPattern::new(&depths).matches(&deep));
        assert!(!PathPattern::new(&depths).covers(&"/a".repeat(256).parse().expect("legal")));
    }
}
