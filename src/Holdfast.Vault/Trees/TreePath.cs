using Holdfast.Files;

namespace Holdfast.Vault.Trees;

/// <summary>Paths in trees of the vault. Limit: docs/formats/vault.md, "Trees".</summary>
internal static class TreePath
{
    /// <summary>
    /// Longest path of an entry, and so a bound on how deep a tree can be: a walk keeps the path of every directory above
    /// it, which would take memory by the square of the depth.
    /// </summary>
    public const int MaxBytes = 16 << 10;

    /// <summary>The path of an entry of a directory.</summary>
    /// <exception cref="DamageException">It is longer than any that a backup takes.</exception>
    public static byte[] Join(byte[] directory, byte[] name)
    {
        if (directory.Length + 1 + name.Length > MaxBytes) throw new DamageException("tree", $"a path longer than {MaxBytes} bytes");
        return directory.Length == 0 ? name : BytePath.Join(directory, name);
    }
}
