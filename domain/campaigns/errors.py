"""What can go wrong with campaigns."""

from domain.errors import Conflict, Invalid, LimitReached, NotFound


class CampaignNotFound(NotFound):
    """There is no such campaign, or it is not the caller's."""

    code = "campaign_not_found"


class CampaignInvalid(Invalid):
    """Times, texts or groups that cannot be."""

    code = "campaign_invalid"


class CampaignOver(Conflict):
    """It was stopped, or everything has gone out."""

    code = "campaign_over"


class TooManyCampaigns(LimitReached):
    """More than one is under way already for what its author may do."""

    code = "too_many_campaigns"
