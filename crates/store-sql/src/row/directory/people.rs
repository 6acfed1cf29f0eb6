use super::fields::{named, put_at, put_named, time};
use strongroom_domain::canonical::{DecodeError, Decoder, Encoder};
use strongroom_domain::directory::{Login, MemberRole, OrganisationMember, Team, TeamMember, TeamRole, User};
use strongroom_domain::id::{MemberId, OrganisationId, TeamId, TeamMemberId, UserId};

pub(super) fn put_user(to: &mut Encoder, user: &User) {
    to.id(user.id.uuid());
    to.optional(user.login.as_ref(), |to, login| {
        to.text(&login.issuer).text(&login.subject);
    });
    to.text(&user.name).text(&user.email);
    put_at(to, user.created_at);
}

pub(super) fn user(from: &mut Decoder<'_>) -> Result<User, DecodeError> {
    Ok(User {
        id: UserId::new(from.id()?),
        login: from.optional(|from| Ok(Login { issuer: from.text()?, subject: from.text()? }))?,
        name: from.text()?,
        email: from.text()?,
        created_at: time(from)?,
    })
}

pub(super) fn put_organisation_member(to: &mut Encoder, member: &OrganisationMember) {
    to.id(member.id.uuid()).id(member.organisation.uuid()).id(member.user.uuid()).text(member.role.as_str());
    put_at(to, member.created_at);
}

pub(super) fn organisation_member(from: &mut Decoder<'_>) -> Result<OrganisationMember, DecodeError> {
    Ok(OrganisationMember {
        id: MemberId::new(from.id()?),
        organisation: OrganisationId::new(from.id()?),
        user: UserId::new(from.id()?),
        role: MemberRole::from_name(&from.text()?).ok_or(DecodeError)?,
        created_at: time(from)?,
    })
}

pub(super) fn put_team(to: &mut Encoder, team: &Team) {
    to.id(team.id.uuid()).id(team.organisation.uuid());
    put_named(to, &team.named);
}

pub(super) fn team(from: &mut Decoder<'_>) -> Result<Team, DecodeError> {
    Ok(Team { id: TeamId::new(from.id()?), organisation: OrganisationId::new(from.id()?), named: named(from)? })
}

pub(super) fn put_team_member(to: &mut Encoder, member: &TeamMember) {
    to.id(member.id.uuid()).id(member.organisation.uuid()).id(member.team.uuid()).id(member.user.uuid());
    to.text(member.role.as_str());
    put_at(to, member.created_at);
    put_at(to, member.updated_at);
}

pub(super) fn team_member(from: &mut Decoder<'_>) -> Result<TeamMember, DecodeError> {
    Ok(TeamMember {
        id: TeamMemberId::new(from.id()?),
        organisation: OrganisationId::new(from.id()?),
        team: TeamId::new(from.id()?),
        user: UserId::new(from.id()?),
        role: TeamRole::from_name(&from.text()?).ok_or(DecodeError)?,
        created_at: time(from)?,
        updated_at: time(from)?,
    })
}
