namespace Holdfast.Vault;

/// <summary>What a key of a vault may do. Which keys each has, and why: docs/security.md. The value is on disk.</summary>
public enum KeyRole
{
    /// <summary>None.</summary>
    Invalid = 0,

    /// <summary>Everything.</summary>
    Admin = 1,

    /// <summary>Makes restore points; cannot read what is in them, not even its own.</summary>
    Add = 2,

    /// <summary>Sees restore points and the names in them, not the content of files.</summary>
    List = 3,

    /// <summary>Reads everything, writes nothing.</summary>
    Restore = 4,

    /// <summary>Frees space; sees neither names nor content.</summary>
    Prune = 5,
}
