namespace Holdfast.Vault.Repairing;

/// <summary>What to do about objects that cannot be made anew, as hints say it.</summary>
internal static class Remedy
{
    /// <summary>Of a damaged object of which there may be a copy.</summary>
    public const string FromCopy = "\"holdfast repair --from\" a copy of the vault brings it back";

    /// <summary>Of a restore point or a mark, without which a vault can go on.</summary>
    public const string FromCopyOrDrop = FromCopy + "; without a copy, \"holdfast repair --drop-unreadable\" puts it away";
}
