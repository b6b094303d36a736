"""What can be asked of campaigns: their part of the table of verbs."""

from __future__ import annotations

from app.control import campaigns, views
from app.control.refusals import Why
from app.control.verb import DROP, EDIT, LOOK, MAKE, ById, Delete, Empty, Verb
from app.control.views import Scope

_START = (Why.NOT_FOUND, Why.NOT_NOW, Why.NO_SPACE)
_ADD = (Why.NOT_FOUND, Why.NOT_NOW, Why.NO_SPACE)
_R, _W, _C = Scope.READ, Scope.WRITE, Scope.CALL

CAMPAIGN_VERBS = (
    Verb("list_campaigns", Empty, campaigns.CampaignList, _R, "All campaigns with their state", "GET", "/campaigns"),
    Verb("get_campaign", ById, campaigns.CampaignView, _R, "One campaign, and how far it came", "GET",
         "/campaigns/{id}", LOOK),
    Verb("create_campaign", campaigns.CreateCampaign, campaigns.CampaignView, _W, "Add a campaign", "POST",
         "/campaigns", MAKE, created=True),
    Verb("update_campaign", campaigns.UpdateCampaign, campaigns.CampaignView, _W, "Change a campaign", "PUT",
         "/campaigns/{id}", (*EDIT, Why.NOT_NOW)),
    Verb("delete_campaign", Delete, views.Nothing, _W, "Delete a campaign with its participants", "DELETE",
         "/campaigns/{id}", DROP),
    Verb("check_campaign", campaigns.CheckCampaign, campaigns.Problems, _R,
         "What keeps a campaign from being started, changing nothing", "POST", "/campaigns/check"),
    Verb("start_campaign", ById, campaigns.CampaignView, _C, "Start a campaign", "POST", "/campaigns/{id}/start",
         _START),
    Verb("pause_campaign", ById, campaigns.CampaignView, _C, "Place no more calls; those that go on are finished",
         "POST", "/campaigns/{id}/pause", _START),
    Verb("resume_campaign", ById, campaigns.CampaignView, _C, "Go on after a pause", "POST",
         "/campaigns/{id}/resume", _START),
    Verb("stop_campaign", ById, campaigns.CampaignView, _C, "End a campaign: what waits is canceled", "POST",
         "/campaigns/{id}/stop", _START),
    Verb("list_participants", campaigns.ListParticipants, campaigns.Participants, _R, "Participants of a campaign",
         "GET", "/campaigns/{campaign_id}/participants", LOOK),
    Verb("get_participant", campaigns.GetParticipant, campaigns.ParticipantDetail, _R,
         "One participant, with all communications", "GET", "/campaigns/{campaign_id}/participants/{id}", LOOK),
    Verb("create_participant", campaigns.CreateParticipant, campaigns.ParticipantDetail, _W, "Add a participant",
         "POST", "/campaigns/{campaign_id}/participants", MAKE, created=True),
    Verb("update_participant", campaigns.UpdateParticipant, campaigns.ParticipantDetail, _W,
         "Change fields of a participant", "PUT", "/campaigns/{campaign_id}/participants/{id}", EDIT),
    Verb("delete_participant", campaigns.GetParticipant, views.Nothing, _W,
         "Delete a participant, and what became of them", "DELETE", "/campaigns/{campaign_id}/participants/{id}",
         (Why.NOT_FOUND, Why.NO_SPACE)),
    Verb("begin_import", campaigns.BeginImport, campaigns.ImportView, _W, "Begin to send a list of participants",
         "POST", "/campaigns/{campaign_id}/imports", _ADD, created=True),
    Verb("list_imports", campaigns.ListImports, campaigns.Imports, _R, "Lists that were sent, newest first", "GET",
         "/campaigns/{campaign_id}/imports", LOOK),
    Verb("get_import", ById, campaigns.ImportView, _R, "One list, with its errors", "GET", "/imports/{id}", LOOK),
    Verb("add_rows", campaigns.AddRows, campaigns.ImportView, _W, "Send rows of a list", "POST",
         "/imports/{id}/rows", _ADD),
    Verb("finish_import", ById, campaigns.ImportView, _W, "Make participants of a list's rows", "POST",
         "/imports/{id}/finish", _ADD),
    Verb("drop_import", ById, views.Nothing, _W, "Forget the rows of a list that was not finished", "DELETE",
         "/imports/{id}", _ADD),
    Verb("list_do_not_call", campaigns.ListDoNotCall, campaigns.DoNotCall, _R,
         "Numbers that no campaign calls, newest first", "GET", "/do-not-call"),
    Verb("add_do_not_call", campaigns.AddDoNotCall, campaigns.Added, _W, "Add numbers that no campaign may call",
         "POST", "/do-not-call", (Why.NO_SPACE,)),
    Verb("remove_do_not_call", campaigns.ByNumber, views.Nothing, _W, "Take a number off that list", "DELETE",
         "/do-not-call/{id}", (Why.NOT_FOUND, Why.NO_SPACE)),
)  # fmt: skip
