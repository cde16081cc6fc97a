namespace Holdfast.Vault;

/// <summary>What one rule, or something stronger than rules, says of a point.</summary>
public enum RetentionVerdict
{
    /// <summary>Kept: the newest of its period.</summary>
    Chosen = 0,

    /// <summary>Kept: the oldest of all, while the rule has fewer periods than it may have.</summary>
    Oldest = 1,

    /// <summary>Kept: it has a tag that is to be kept.</summary>
    Tagged = 2,

    /// <summary>Kept: it is on hold.</summary>
    OnHold = 3,

    /// <summary>Kept: its time lies in the future, so that no rule can say what it is.</summary>
    InFuture = 4,

    /// <summary>Not kept by the rule: a newer point stands for the same period.</summary>
    Superseded = 5,

    /// <summary>Not kept by the rule: it has chosen from as many periods as it may.</summary>
    Beyond = 6,

    /// <summary>Not kept by the rule: it is older than the rule reaches.</summary>
    TooOld = 7,

    /// <summary>Not kept: a person named it.</summary>
    Named = 8,

    /// <summary>Not kept: it has no tag that is to be kept, and there are no other rules.</summary>
    Untagged = 9,
}

/// <summary>Why a point is kept or dropped.</summary>
/// <param name="Verdict">What is said.</param>
/// <param name="Rule">Who says it; null for what is no rule.</param>
/// <param name="Text">
/// The period as <c>2026-11-20T14</c>, <c>2026-11-20</c>, <c>2026-W47</c>, <c>2026-11</c> or <c>2026</c>; of
/// <see cref="RetentionVerdict.Tagged"/> the tag, of <see cref="RetentionVerdict.OnHold"/> the hold's reason; else empty.
/// </param>
/// <param name="Ordinal">Of a point chosen: of how many periods, this one included, the rule has chosen so far; else 0.</param>
/// <param name="By">Of <see cref="RetentionVerdict.Superseded"/>: the newer point.</param>
public sealed record RetentionReason(RetentionVerdict Verdict, RetentionRule? Rule = null, string Text = "", int Ordinal = 0, SessionId? By = null)
{
    /// <summary>Whether it keeps the point.</summary>
    public bool Keeps => Verdict <= RetentionVerdict.InFuture;
}

/// <summary>What becomes of a point.</summary>
/// <param name="Point">Which.</param>
/// <param name="Keep">Whether it is kept.</param>
/// <param name="Reasons">Of a point that is kept, what keeps it; of one that is dropped, why no rule does. At least one.</param>
public sealed record RetentionDecision(RestorePoint Point, bool Keep, IReadOnlyList<RetentionReason> Reasons);
