using System.Text;
using Holdfast.Files;
using Holdfast.Storage;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands;

/// <summary>The directory that a vault lies in, so that backup and restore keep off it.</summary>
/// <param name="Address">The vault's address.</param>
/// <param name="Path">Its absolute path.</param>
/// <param name="Identity">The directory, whatever path leads to it.</param>
internal sealed record VaultPlace(string Address, byte[] Path, DirectoryIdentity Identity)
{
    // Deeper paths than Linux takes at once are not worth asking about.
    private const int MostParents = 2048;
    private static readonly Caller Caller = new() { Uid = 0, Gid = 0, ProcessId = Environment.ProcessId };

    /// <summary>Where the vault at an address lies; null when it is not in a directory, or there is none yet.</summary>
    public static async Task<VaultPlace?> FindAsync(string address)
    {
        StoreAddress parsed = StoreAddress.Parse(address);
        if (parsed.Scheme != StoreAddress.FileScheme) return null;
        byte[] path = Encoding.UTF8.GetBytes(System.IO.Path.GetFullPath(parsed.Path));
        return await IdentifyAsync(path).ConfigureAwait(false) is { } identity ? new VaultPlace(address, path, identity) : null;
    }

    /// <summary>Whether a directory is the vault's or lies somewhere in it; one that is missing is where it would be made.</summary>
    /// <param name="directory">Absolute and normal.</param>
    public async Task<bool> HoldsAsync(byte[] directory)
    {
        while (directory.Length > 1 && await IdentifyAsync(directory).ConfigureAwait(false) is null)
        {
            directory = directory[..Math.Max(1, directory.AsSpan().LastIndexOf(BytePath.Separator))];
        }

        return await IsWithinAsync(directory, Identity).ConfigureAwait(false);
    }

    /// <summary>Whether the vault lies in a directory, or is it.</summary>
    public async Task<bool> LiesInAsync(byte[] directory) =>
        await IdentifyAsync(directory).ConfigureAwait(false) is { } identity && await IsWithinAsync(Path, identity).ConfigureAwait(false);

    // Up by "..", not by letters: symbolic links and bind mounts lead to the same directory by other paths.
    private static async Task<bool> IsWithinAsync(byte[] directory, DirectoryIdentity ancestor)
    {
        DirectoryIdentity? below = null;
        for (int i = 0; i < MostParents; i++)
        {
            DirectoryIdentity? here = await IdentifyAsync(directory).ConfigureAwait(false);
            if (here is null || here == below) return false;
            if (here == ancestor) return true;
            below = here;
            directory = BytePath.Join(directory, ".."u8);
        }

        return false;
    }

    /// <summary>The directory that a path leads to; null where there is none.</summary>
    public static async Task<DirectoryIdentity?> IdentifyAsync(byte[] path)
    {
        Result<DirectoryTree> tree = DirectoryTree.TryOpen(path);
        if (!tree.Ok) return null;
        using DirectoryTree directory = tree.Value;
        Result<NodeAttributes> attributes = await directory.GetAttributesAsync(Caller, directory.Root).ConfigureAwait(false);
        return attributes.Ok ? new DirectoryIdentity(attributes.Value.Device, attributes.Value.Inode) : null;
    }
}
