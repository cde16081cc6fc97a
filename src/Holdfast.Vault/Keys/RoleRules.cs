using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>Which role may do what, and write what. The table: docs/security.md, "Keys and roles".</summary>
internal static class RoleRules
{
    /// <summary>Whether a role may use a vault so. Managing keys takes the first admin's own key beside the role.</summary>
    public static bool Allows(KeyRole role, VaultUse use) => use switch
    {
        VaultUse.SeePoints => true,
        VaultUse.Backup => role is KeyRole.Admin or KeyRole.Add,
        VaultUse.ReadTrees => role is KeyRole.Admin or KeyRole.Restore or KeyRole.List,
        VaultUse.ReadData => role is KeyRole.Admin or KeyRole.Restore,
        VaultUse.Prune => role is KeyRole.Admin or KeyRole.Prune,
        _ => role is KeyRole.Admin,
    };

    /// <summary>What is refused, as a message says it: "this key may not …".</summary>
    public static string Describe(VaultUse use) => use switch
    {
        VaultUse.Backup => "make restore points",
        VaultUse.ReadTrees => "see the names in a restore point",
        VaultUse.ReadData => "read the content of files",
        VaultUse.Prune => "free space",
        VaultUse.Rewrap => "seal what is stored in a newer key epoch",
        VaultUse.Repair => "repair",
        VaultUse.ManageKeys => "manage keys",
        VaultUse.MarkPoints => "forget, hold or bring back restore points",
        _ => "see restore points",
    };

    /// <summary>The roles that may, as a hint names them.</summary>
    public static string WhoMay(VaultUse use) =>
        string.Join(" or ", Enum.GetValues<KeyRole>().Where(role => role != KeyRole.Invalid && Allows(role, use)).Select(NameOf));

    /// <summary>
    /// Whether an object of a kind counts that a writer of a role signed. Whoever has <i>b</i> could seal any; what only readers have
    /// no business to write is refused wherever it comes from.
    /// </summary>
    public static bool MayWrite(KeyRole role, ObjectKind kind) => kind switch
    {
        ObjectKind.Verified or ObjectKind.Damage => role is KeyRole.Admin or KeyRole.Restore,
        ObjectKind.References => role is KeyRole.Admin or KeyRole.Add,
        // An empty one says that a session is over, which is prune's to say.
        ObjectKind.Point => role is KeyRole.Admin or KeyRole.Add or KeyRole.Prune,
        ObjectKind.Settings or ObjectKind.Epoch => role is KeyRole.Admin,
        // Whose count for what, PointMarks, RemovalRecord and WriterBook decide: some say nothing, which is no damage.
        ObjectKind.Mark or ObjectKind.Removal or ObjectKind.Writer => role is not KeyRole.Invalid,
        _ => role is KeyRole.Admin or KeyRole.Add or KeyRole.Prune,
    };

    public static string NameOf(KeyRole role) => role.ToString().ToLowerInvariant();
}
