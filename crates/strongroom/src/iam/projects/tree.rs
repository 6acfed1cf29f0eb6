//! The tree that projects stand in.

use crate::error::{Code, Error};
use std::collections::HashMap;
use strongroom_domain::directory::Project;
use strongroom_domain::id::ProjectId;

/// The most levels of projects.
const MAX_LEVELS: usize = 16;

/// Refuses to put a project, or a new one, below a parent that stands below it itself, or too deep.
pub(super) fn check_place(all: &[Project], moved: Option<ProjectId>, parent: ProjectId) -> Result<(), Error> {
    let refuse = |message: String| Err(Error::new(Code::InvalidRequest, message));
    let parents: HashMap<ProjectId, Option<ProjectId>> = all.iter().map(|it| (it.id, it.parent)).collect();
    if moved.is_some_and(|moved| steps(&parents, parent, Some(moved)).is_some()) {
        return refuse(
            "`parentProjectIdentity` names the project itself, or one below it; name one that stands elsewhere."
                .to_owned(),
        );
    }
    let below = moved.map(|moved| all.iter().filter_map(|it| steps(&parents, it.id, Some(moved))).max().unwrap_or(0));
    let levels = steps(&parents, parent, None).unwrap_or(MAX_LEVELS) + 1 + below.unwrap_or(0);
    if levels > MAX_LEVELS {
        return refuse(format!(
            "`parentProjectIdentity`: projects stand at most {MAX_LEVELS} levels deep; name one nearer to the top."
        ));
    }
    Ok(())
}

/// How many steps up it is to `goal`, or beyond the top; `None` when the way doesn't lead there.
fn steps(parents: &HashMap<ProjectId, Option<ProjectId>>, from: ProjectId, goal: Option<ProjectId>) -> Option<usize> {
    let mut at = Some(from);
    // No way is longer than there are projects.
    for steps in 0..=parents.len() {
        if at == goal {
            return Some(steps);
        }
        at = parents.get(&at?).copied().flatten();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{MAX_LEVELS, check_place};
    use strongroom_domain::directory::{Named, Project};
    use strongroom_domain::id::{OrganisationId, ProjectId};
    use strongroom_domain::metadata::Metadata;
    use strongroom_domain::time::Timestamp;
    use uuid::Uuid;

    fn id(n: usize) -> ProjectId {
        ProjectId::new(Uuid::from_u128(n as u128))
    }

    fn project(n: usize, parent: Option<usize>) -> Project {
        Project {
            id: id(n),
            organisation: OrganisationId::new(Uuid::nil()),
            named: Named::new(n.to_string(), n.to_string(), Metadata::default(), Timestamp::EPOCH),
            parent: parent.map(id),
        }
    }

    /// 1, and below each the next.
    fn chain(len: usize) -> Vec<Project> {
        (1..=len).map(|n| project(n, (n > 1).then(|| n - 1))).collect()
    }

    #[test]
    fn nothing_stands_below_itself() {
        let all = [chain(4), vec![project(9, None)]].concat();
        for parent in 2..=4 {
            assert!(check_place(&all, Some(id(2)), id(parent)).is_err(), "{parent}");
        }
        for parent in [1, 9] {
            assert!(check_place(&all, Some(id(2)), id(parent)).is_ok(), "{parent}");
        }
        // A ring that is there already, whyever, is neither followed for ever nor entered.
        let ring = [project(1, Some(2)), project(2, Some(1)), project(3, None)];
        assert!(check_place(&ring, Some(id(3)), id(1)).is_err());
        assert!(check_place(&ring, Some(id(1)), id(3)).is_ok());
    }

    #[test]
    fn the_tree_has_so_many_levels() {
        let all = chain(MAX_LEVELS);
        assert!(check_place(&all, None, id(MAX_LEVELS - 1)).is_ok());
        assert!(check_place(&all, None, id(MAX_LEVELS)).is_err());
        // What stands below the moved one moves with it.
        let all = [chain(MAX_LEVELS - 1), vec![project(20, None), project(21, Some(20))]].concat();
        assert!(check_place(&all, Some(id(20)), id(MAX_LEVELS - 2)).is_ok());
        assert!(check_place(&all, Some(id(20)), id(MAX_LEVELS - 1)).is_err());
        assert!(check_place(&all, Some(id(21)), id(MAX_LEVELS - 1)).is_ok());
    }
}
