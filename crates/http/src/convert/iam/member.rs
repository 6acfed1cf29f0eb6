use super::{identity, user};
use crate::failure::Failure;
use strongroom::iam::memberships::{MemberView, NewMember};
use strongroom_api::{NewOrganisationMember, OrganisationMember};
use strongroom_domain::directory::MemberRole;

pub(crate) fn member(view: &MemberView) -> OrganisationMember {
    OrganisationMember {
        identity: view.member.id.to_string(),
        created_at: view.member.created_at.to_rfc3339(),
        user: user(&view.user),
        role: view.member.role.as_str().to_owned(),
    }
}

pub(crate) fn new_member(request: NewOrganisationMember) -> Result<NewMember, Failure> {
    let role = member_role(request.role.as_deref())?;
    Ok(NewMember { user: identity("userIdentity", &request.user_identity)?, role })
}

/// What a user shall be in an organisation: a member, when it isn't given.
pub(crate) fn member_role(name: Option<&str>) -> Result<MemberRole, Failure> {
    let Some(name) = name else { return Ok(MemberRole::Member) };
    MemberRole::from_name(name).ok_or_else(|| Failure::invalid("`role` is `OWNER` or `MEMBER`."))
}
