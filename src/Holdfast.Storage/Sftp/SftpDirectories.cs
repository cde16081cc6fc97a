using System.Collections.Concurrent;

namespace Holdfast.Storage.Sftp;

/// <summary>Makes directories of a server so that they survive its loss of power, and remembers which do.</summary>
/// <remarks>As <see cref="DurableDirectories"/>, whose invariant it shares: a directory is made only in one whose own name is durable.</remarks>
internal sealed class SftpDirectories(SftpFiles files)
{
    private readonly ConcurrentDictionary<string, bool> known = new(StringComparer.Ordinal);

    /// <summary>When it returns, the directory exists and its name, with those above it, survives power loss.</summary>
    public async Task EnsureAsync(string path)
    {
        if (path.Length == 0 || known.ContainsKey(path)) return;
        int end = path.LastIndexOf('/');
        // A relative path begins where the server lets the user begin.
        string parent = end < 0 ? "." : path[..end];
        bool made = false;
        if (await files.TryStatAsync(path).ConfigureAwait(false) is null)
        {
            if (end >= 0) await EnsureAsync(parent).ConfigureAwait(false);
            made = await files.TryMakeDirectoryAsync(path).ConfigureAwait(false);
            if (!made && await files.TryStatAsync(path).ConfigureAwait(false) is null) throw new SftpException(SftpStatus.Failure, $"the directory {path} cannot be made");
        }

        try
        {
            await files.TrySyncDirectoryAsync(parent.Length == 0 ? "/" : parent).ConfigureAwait(false);
        }
        catch (SftpException failure) when (!made && failure.Status == SftpStatus.PermissionDenied)
        {
            // The user's directory in one that we may not read: we could hardly have made it, so it is not new.
        }

        known.TryAdd(path, true);
    }

    /// <summary>Forgets everything: some of it was removed behind our back.</summary>
    public void Forget() => known.Clear();
}
