//! Whether one pattern matches everything that another matches.

use super::{PathPattern, Segment, Shape, glob_matches};
use crate::path::MAX_PATH_LEN;

impl PathPattern {
    /// Whether every path that `other` matches is matched by this pattern too. A yes is certain. A no may be wrong only for
    /// patterns that nobody writes: where no character of paths or no length is left that this pattern doesn't speak of.
    ///
    /// Takes time at most proportional to the product of both lengths.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        if other.matches_nothing() {
            return true;
        }
        match self.shape {
            Shape::Nothing => false,
            Shape::Everything => true,
            Shape::Exact | Shape::Segments(_) => {
                other.literal_prefix().starts_with(self.literal_prefix())
                    && other.literal_suffix().ends_with(self.literal_suffix())
                    && contains(&self.to_segments(), &other.to_segments())
            }
        }
    }

    /// Whether no path at all is matched.
    fn matches_nothing(&self) -> bool {
        match &self.shape {
            Shape::Nothing => true,
            Shape::Everything | Shape::Exact => false,
            Shape::Segments(segments) => {
                let lengths = segments.iter().map(Segment::shortest);
                lengths.sum::<Option<usize>>().is_none_or(|shortest| shortest > MAX_PATH_LEN)
            }
        }
    }

    /// The pattern as segments, whatever its shape.
    fn to_segments(&self) -> Vec<Segment> {
        match &self.shape {
            Shape::Nothing => Vec::new(),
            Shape::Everything => vec![Segment::Any, Segment::AnyDepth],
            Shape::Exact => self.entry.split('/').skip(1).map(|name| Segment::Literal(name.into())).collect(),
            // A path has a first segment.
            Shape::Segments(segments) if **segments == [Segment::AnyDepth] => vec![Segment::Any, Segment::AnyDepth],
            Shape::Segments(segments) => segments.to_vec(),
        }
    }
}

impl Segment {
    /// The length of the shortest text that matches, with its slash. `None` when no legal text does.
    fn shortest(&self) -> Option<usize> {
        match self {
            Self::AnyDepth => Some(0),
            Self::Any => Some("/x".len()),
            Self::Literal(text) => Some("/".len() + text.len()),
            Self::Glob(glob) => {
                let name = glob.replace('*', "");
                // One character more makes a legal name of `.` and `..`.
                let name = if matches!(name.as_str(), "." | "..") { format!("{name}x") } else { name };
                let path = format!("/{name}");
                crate::path::check_segments(&path).is_ok().then_some(path.len())
            }
        }
    }

    /// Whether this single segment matches all that the other one matches.
    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Any | Self::Literal(_) | Self::Glob(_)) => true,
            (Self::Literal(text), Self::Literal(other)) => text == other,
            // A star of the other stands in the text as itself: no character of the glob matches it, only a star does.
            (Self::Glob(glob), Self::Literal(other) | Self::Glob(other)) => {
                glob_matches(glob.as_bytes(), other.as_bytes())
            }
            _ => false,
        }
    }
}

/// Reads the segments of `other` as if they were a path whose stars only stars match, and follows all ways in which `outer`
/// can match it.
fn contains(outer: &[Segment], other: &[Segment]) -> bool {
    let in_open_run = open_runs(outer);
    let mut reached = vec![false; outer.len() + 1];
    reached[0] = true;
    for inner in other {
        let mut following = vec![false; outer.len() + 1];
        for (at, segment) in outer.iter().enumerate() {
            if !reached[at] {
                continue;
            }
            if *segment == Segment::AnyDepth {
                following[at] = true;
                // `**` stands for no segment, too.
                reached[at + 1] = true;
            }
            if *inner == Segment::AnyDepth {
                following[at] |= in_open_run[at];
            } else if segment.contains(inner) {
                following[at + 1] = true;
            }
        }
        reached = following;
    }
    let rest = outer.iter().rposition(|segment| *segment != Segment::AnyDepth).map_or(0, |last| last + 1);
    reached[rest..].contains(&true)
}

/// For each segment, whether it is part of a run `*/…/**`: "so many segments or more", which takes any depth at each of its places.
fn open_runs(segments: &[Segment]) -> Vec<bool> {
    let mut open = vec![false; segments.len() + 1];
    for (at, segment) in segments.iter().enumerate().rev() {
        open[at] = match segment {
            Segment::AnyDepth => true,
            Segment::Any => open[at + 1],
            Segment::Literal(_) | Segment::Glob(_) => false,
        };
    }
    open
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entries, naive_matches, paths};
    use super::PathPattern;
    use crate::path::SecretPath;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn contains(outer: &str, other: &str) -> bool {
        PathPattern::new(outer).contains(&PathPattern::new(other))
    }

    /// Entries that contain each other now and then: the second is the first with stars filled in, mostly.
    fn pairs() -> impl Strategy<Value = (String, String)> {
        let filled = entries().prop_flat_map(|outer| {
            let pieces = select(&["", "*", "a", "ba", "a/b", "*/b", "**", "**/a", "*/**"][..]);
            (Just(outer.clone()), proptest::collection::vec(pieces, outer.matches('*').count()))
        });
        let filled = filled.prop_map(|(outer, pieces)| {
            let mut pieces = pieces.into_iter();
            let other = outer.split('*').enumerate().map(|(at, part)| match at {
                0 => part.to_owned(),
                _ => format!("{}{part}", pieces.next().unwrap_or_default()),
            });
            let other = other.collect();
            (outer, other)
        });
        prop_oneof![3 => filled, 1 => (entries(), entries())]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_contained_is_matched((outer, other) in pairs(), paths in proptest::collection::vec(paths(), 12)) {
            if contains(&outer, &other) {
                for path in paths {
                    let path = path.as_str();
                    prop_assert!(!naive_matches(&other, path) || naive_matches(&outer, path), "{}", path);
                }
            }
        }

        #[test]
        fn each_contains_itself_and_its_matches(entry in entries(), path in paths()) {
            prop_assert!(contains(&entry, &entry));
            prop_assert!(contains("*", &entry));
            prop_assert_eq!(contains(&entry, path.as_str()), naive_matches(&entry, path.as_str()));
        }

        #[test]
        fn containment_goes_on((outer, middle) in pairs(), inner in entries()) {
            if contains(&outer, &middle) && contains(&middle, &inner) {
                prop_assert!(contains(&outer, &inner));
            }
        }
    }

    /// All texts of so many pieces, joined.
    fn texts(pieces: &[&str], most: usize, joint: &str) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let mut last = vec![String::new()];
        for _ in 0..most {
            last =
                last.iter().flat_map(|text| pieces.iter().map(move |piece| format!("{text}{joint}{piece}"))).collect();
            all.extend_from_slice(&last);
        }
        all
    }

    /// For each pair of the entries: the answer is that of comparing which of the paths both match.
    fn assert_complete(entries: &[String], paths: &[String]) {
        let paths: Vec<SecretPath> = paths.iter().map(|path| path.parse().expect("legal")).collect();
        let matched = |pattern: &PathPattern| -> Vec<u64> {
            let bits =
                |chunk: &[SecretPath]| chunk.iter().fold(0, |bits, path| bits << 1 | u64::from(pattern.matches(path)));
            paths.chunks(64).map(bits).collect()
        };
        let known: Vec<_> = entries.iter().map(|entry| PathPattern::new(entry)).collect();
        let known: Vec<_> = known.into_iter().map(|pattern| (matched(&pattern), pattern)).collect();
        let mut wrong = Vec::new();
        for (outer_bits, outer) in &known {
            for (other_bits, other) in &known {
                let expected = outer_bits.iter().zip(other_bits).all(|(outer, other)| other & !outer == 0);
                if outer.contains(other) != expected {
                    wrong.push(format!("{} in {}: {expected}", other.as_str(), outer.as_str()));
                }
            }
        }
        let wrong = (wrong.len(), &wrong[..wrong.len().min(20)]);
        assert_eq!(wrong.0, 0, "of {}: {:?}", known.len() * known.len(), wrong.1);
    }

    /// With `c` as a name that no pattern has.
    #[test]
    fn complete_over_all_short_patterns_of_segments() {
        let mut entries = texts(&["a", "b", "*", "**"], 4, "/");
        entries.push("*".to_owned());
        assert_complete(&entries, &texts(&["a", "b", "c"], 7, "/"));
    }

    #[test]
    fn complete_over_long_patterns_of_few_segments() {
        assert_complete(&texts(&["a", "*", "**"], 5, "/"), &texts(&["a", "c"], 9, "/"));
    }

    #[test]
    fn complete_over_all_short_globs() {
        let globs = texts(&["a", "b", "*"], 5, "");
        let entries: Vec<_> = globs.iter().map(|glob| format!("/x/{glob}/y")).collect();
        let paths: Vec<_> = texts(&["a", "b", "c"], 6, "").iter().map(|name| format!("/x/{name}/y")).collect();
        let paths: Vec<_> =
            paths.into_iter().chain(["/x/y".to_owned(), "/x/c/c/y".to_owned(), "/x/a/c/y".to_owned()]).collect();
        assert_complete(&entries, &paths);
    }

    #[test]
    fn complete_over_short_patterns_of_globs_and_segments() {
        let entries = texts(&["a", "a*", "*b*", "*", "**"], 3, "/");
        let names = ["a", "c", "ab", "ca", "b", "ac"];
        assert_complete(&entries, &texts(&names, 4, "/"));
    }

    #[test]
    fn examples() {
        for (outer, other, expected) in [
            ("*", "/**", true),
            ("/*", "*", true),
            ("/**", "*", true),
            ("/*/*", "*", false),
            ("/a/*", "/a/b/*", true),
            ("/a/b/*", "/a/*", false),
            ("/a/**", "/a/*", true),
            ("/a/*", "/a/**", false),
            ("/a/*", "/a/**/*", true),
            ("/a/**/*", "/a/*", true),
            ("/*/b", "/a/b", true),
            ("/*/b", "/*a/b", true),
            ("/*/b", "/**/b", false),
            ("/a/b*", "/a/bc*", true),
            ("/a/b*", "/a/b*/c", false),
            ("/a/*", "/ab/*", false),
            ("/app/prod/*", "/app/prod-evil", false),
            ("/a/*b*", "/a/*b*b*", true),
            ("/**/*/x", "/**/y/x", true),
            ("/**/x/**", "/a/*/x", true),
            ("/a", "/a", true),
            ("/a", "/A", false),
            ("/a", "/**", false),
            ("/a", "/a*", false),
            // What matches no secret is in everything, even in what matches none itself.
            ("/a", "no-path", true),
            ("", "", true),
            ("no-path", "/a", false),
            ("/x y*", "/x y*", true),
            ("/x", "/a b*", true),
            ("/x", "/a//*", true),
            ("/a", "/./*", true),
            ("/x", "/.*", false),
            ("/..*", "/..a*", true),
        ] {
            assert_eq!(contains(outer, other), expected, "{other} in {outer}");
        }
        let long = format!("/{}*", "a".repeat(512));
        assert!(contains("/x", &long));
        assert!(!contains("/x", &long.replacen('a', "", 1)));
    }

    #[test]
    fn many_stars_end_soon() {
        let globs = format!("/{}c", "*a".repeat(255));
        let depths = format!("/{}c", "**/a/".repeat(100));
        let runs = format!("/{}c", "*/**/a/".repeat(72));
        let all = [globs, depths, runs];
        for outer in &all {
            for other in &all {
                assert_eq!(contains(outer, other), outer == other);
                assert!(!contains(&outer.replace('c', "d"), other));
            }
        }
    }
}
