namespace Holdfast.Vault;

/// <summary>What is to be done with a vault; each needs a key that allows it (<see cref="OpenVault.Require"/>).</summary>
public enum VaultUse
{
    /// <summary>See which restore points there are, and how much the vault holds.</summary>
    SeePoints,

    /// <summary>Make a restore point.</summary>
    Backup,

    /// <summary>See the names and attributes in a restore point.</summary>
    ReadTrees,

    /// <summary>Read the content of files.</summary>
    ReadData,

    /// <summary>Forget restore points, bring them back, hold and release them.</summary>
    MarkPoints,

    /// <summary>Free space.</summary>
    Prune,

    /// <summary>Seal the keys of what is stored in the newest key epoch.</summary>
    Rewrap,

    /// <summary>Make good what is damaged.</summary>
    Repair,

    /// <summary>Add and remove keys, and begin a new key epoch.</summary>
    ManageKeys,
}
