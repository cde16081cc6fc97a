using System.Globalization;
using Holdfast.Log;
using Holdfast.Storage.Remote;
using Holdfast.Storage.Sftp;

namespace Holdfast.Storage;

/// <summary>
/// An object store in a directory of another machine, reached through the system's ssh. On the server it is what
/// <see cref="DirectoryStore"/> makes of a directory: layout and order of writes are in docs/formats/directory-store.md.
/// </summary>
/// <remarks>
/// One connection carries all requests, many at once, and is made anew when it breaks. What was under way then is begun again: a put
/// finds its own object by comparing contents.
/// </remarks>
public sealed partial class SftpStore : IObjectStore, IDisposable
{
    private const int CompareBytes = 1 << 20;
    private const int MaxPublishAttempts = 16;

    private readonly SftpAddress address;
    private readonly Host host;
    private readonly Retry retry;
    private readonly SemaphoreSlim connecting = new(1);
    private volatile SftpSession? session;
    private bool disposed;

    internal SftpStore(SftpAddress address, Host host)
    {
        this.address = address;
        this.host = host;
        retry = new Retry(host.Clock, host.Entropy, address.Timeout * 2);
    }

    /// <inheritdoc/>
    public string Address => address.Text;

    /// <inheritdoc/>
    public StoreCapabilities Capabilities { get; } = new(CreateOnce: true, Staleness: TimeSpan.Zero, RetentionLocks: false);

    /// <inheritdoc/>
    public async Task<PutOutcome> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ObjectName.ThrowIfTooLong(name, content);
        string? left = null;
        return await RunAsync(
            "write", name,
            async current =>
            {
                // What an attempt made whose connection broke. The name is another each time: the server may still be about to make the first.
                if (left is not null) await current.Files.RemoveAsync(left).ConfigureAwait(false);
                left = $"{ParentOf(PathOf(name))}/{IDisk.StagingPrefix}{NewStagingName()}";
                return await PutAsync(current, name, left, content, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<int?> ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        // Asked for nothing, or behind every object: servers answer that in several ways, and a directory can be opened too.
        if (target.Length == 0 || offset >= IObjectStore.MaxObjectBytes)
        {
            ObjectEntry? entry = await StatAsync(name, cancellationToken).ConfigureAwait(false);
            if (entry is null) return null;
            if (target.Length == 0 || entry.Value.Length <= offset) return 0;
        }

        return await RunAsync<int?>(
            "read", name,
            async current =>
            {
                if (await current.Files.TryOpenAsync(PathOf(name)).WaitAsync(cancellationToken).ConfigureAwait(false) is not { } handle) return null;
                try
                {
                    return await current.Files.ReadAsync(handle, offset, target, cancellationToken).ConfigureAwait(false);
                }
                catch (SftpException)
                {
                    // A directory can be opened, and not be read.
                    if ((await current.Files.StatAsync(handle).ConfigureAwait(false)).IsDirectory) return null;
                    throw;
                }
                finally
                {
                    _ = current.Files.CloseAsync(handle);
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<ObjectEntry?> StatAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        return RunAsync("look at", name, current => TryStatAsync(current, name).WaitAsync(cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        // Asked first: when the reply to the removal is lost, the next attempt finds nothing.
        if (await StatAsync(name, cancellationToken).ConfigureAwait(false) is null) return false;
        bool isFirst = true;
        return await RunAsync(
            "delete", name,
            async current =>
            {
                bool wasFirst = isFirst;
                isFirst = false;
                SftpStatus status = await current.Files.RemoveAsync(PathOf(name)).ConfigureAwait(false);
                if (status == SftpStatus.Failure) throw new SftpException(status, "the server says no more");
                // Also when it was absent: another may have removed it just now, and the answer says that it will stay away.
                await current.Files.TrySyncDirectoryAsync(ParentOf(PathOf(name))).ConfigureAwait(false);
                return status == SftpStatus.Ok || !wasFirst;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task VerifyCapabilitiesAsync(CancellationToken cancellationToken)
    {
        // The server said what it offers; whether the file system has hard links, only one tells.
        string place = $"{IDisk.StagingPrefix}{NewStagingName()}";
        string first = $"{address.Root}/{place}", second = $"{address.Root}/{IDisk.StagingPrefix}{NewStagingName()}";
        await RunAsync(
            "try to write", place,
            async current =>
            {
                await current.Directories.EnsureAsync(address.Root).ConfigureAwait(false);
                await current.Files.RemoveAsync(first).ConfigureAwait(false);
                await current.Files.RemoveAsync(second).ConfigureAwait(false);
                await current.Files.CloseAsync(await current.Files.CreateAsync(first).ConfigureAwait(false)).ConfigureAwait(false);
                bool isLinked = await current.Files.TryLinkAsync(first, second).ConfigureAwait(false);
                bool isReplaced = isLinked && await current.Files.TryLinkAsync(first, second).ConfigureAwait(false);
                await current.Files.RemoveAsync(first).ConfigureAwait(false);
                await current.Files.RemoveAsync(second).ConfigureAwait(false);
                return isLinked && !isReplaced ? true : throw NoLinks();
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        disposed = true;
        session?.Connection.Dispose();
        connecting.Dispose();
    }

    private async Task<PutOutcome> PutAsync(SftpSession current, string name, string staged, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string path = PathOf(name);
        // Before writing up to 64 MiB for nothing: in a vault most puts that find a name find their own content.
        if (await TryCompareAsync(current, path, content, cancellationToken).ConfigureAwait(false) is { } existing) return existing;

        await current.Directories.EnsureAsync(ParentOf(path)).ConfigureAwait(false);
        byte[] handle = await CreateAsync(current, staged).ConfigureAwait(false);
        try
        {
            await WriteAsync(current, handle, content, cancellationToken).ConfigureAwait(false);
            for (int attempt = 0; attempt < MaxPublishAttempts; attempt++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (await current.Files.TryLinkAsync(staged, path).ConfigureAwait(false))
                {
                    await current.Files.TrySyncDirectoryAsync(ParentOf(path)).ConfigureAwait(false);
                    return PutOutcome.Written;
                }

                // Null when the object that was in the way has just been deleted.
                if (await TryCompareAsync(current, path, content, cancellationToken).ConfigureAwait(false) is { } outcome) return outcome;
                if (await current.Files.TryStatAsync(path).ConfigureAwait(false) is { IsDirectory: true })
                {
                    throw new ObjectStoreException(ErrorKind.Refused, $"{Address}: {name}: other objects lie below this name", isRetriable: false);
                }
            }

            throw NoLinks();
        }
        finally
        {
            // Nobody waits for it: what a lost connection leaves is removed when it is old.
            if (!current.Connection.IsBroken) _ = current.Files.RemoveAsync(staged);
        }
    }

    private static async Task<byte[]> CreateAsync(SftpSession current, string staged)
    {
        try
        {
            return await current.Files.CreateAsync(staged).ConfigureAwait(false);
        }
        catch (SftpException failure) when (failure.Status == SftpStatus.NoSuchFile)
        {
            // Somebody removed the directory since this connection made sure of it.
            current.Directories.Forget();
            await current.Directories.EnsureAsync(ParentOf(staged)).ConfigureAwait(false);
            return await current.Files.CreateAsync(staged).ConfigureAwait(false);
        }
    }

    /// <summary>Writes all and makes it durable; the handle is closed.</summary>
    private static async Task WriteAsync(SftpSession current, byte[] handle, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            await current.Files.WriteAsync(handle, content, cancellationToken).ConfigureAwait(false);
            await current.Files.SyncAsync(handle).ConfigureAwait(false);
        }
        finally
        {
            _ = current.Files.CloseAsync(handle);
        }
    }

    /// <summary>Compares an object, if there is one, with content that is to be put under its name.</summary>
    /// <remarks>The answer tells the caller to rely on what is there, so it is made durable: its writer may be about to.</remarks>
    private static async Task<PutOutcome?> TryCompareAsync(SftpSession current, string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (await current.Files.TryOpenAsync(path).ConfigureAwait(false) is not { } handle) return null;
        try
        {
            SftpAttributes found = await current.Files.StatAsync(handle).ConfigureAwait(false);
            if (!found.IsFile) return null;
            bool same = found.Bytes == content.Length && await HasContentAsync(current, handle, content, cancellationToken).ConfigureAwait(false);
            await current.Files.SyncAsync(handle).ConfigureAwait(false);
            await current.Directories.EnsureAsync(ParentOf(path)).ConfigureAwait(false);
            await current.Files.TrySyncDirectoryAsync(ParentOf(path)).ConfigureAwait(false);
            return same ? PutOutcome.SameContent : PutOutcome.Taken;
        }
        finally
        {
            _ = current.Files.CloseAsync(handle);
        }
    }

    private static async Task<bool> HasContentAsync(SftpSession current, byte[] handle, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        byte[] piece = new byte[Math.Min(CompareBytes, content.Length)];
        for (int done = 0; done < content.Length; done += piece.Length)
        {
            int expected = Math.Min(piece.Length, content.Length - done);
            int read = await current.Files.ReadAsync(handle, done, piece.AsMemory(0, expected), cancellationToken).ConfigureAwait(false);
            if (!piece.AsSpan(0, read).SequenceEqual(content.Span.Slice(done, expected))) return false;
        }

        return true;
    }

    private async Task<ObjectEntry?> TryStatAsync(SftpSession current, string name) =>
        await current.Files.TryStatAsync(PathOf(name)).ConfigureAwait(false) is { IsFile: true } found ? EntryOf(name, found) : null;

    private static ObjectEntry EntryOf(string name, SftpAttributes attributes) =>
        new(name, attributes.Bytes, DateTimeOffset.FromUnixTimeSeconds(attributes.Modified));

    private string PathOf(string name) => $"{address.Root}/{name}";

    private static string ParentOf(string path) => path[..path.LastIndexOf('/')];

    private string NewStagingName()
    {
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        host.Entropy.Fill(random);
        return Convert.ToHexStringLower(random);
    }

    /// <summary>Runs one piece of work over the connection, and anew over another one when it broke meanwhile.</summary>
    private Task<T> RunAsync<T>(string action, string name, Func<SftpSession, Task<T>> work, CancellationToken cancellationToken) =>
        retry.RunAsync(
            async () =>
            {
                SftpSession current = await ConnectAsync(cancellationToken).ConfigureAwait(false);
                try
                {
                    return await work(current).ConfigureAwait(false);
                }
                catch (SftpException refusal)
                {
                    throw await RefusedAsync(current, action, name, refusal).ConfigureAwait(false);
                }
                catch (InvalidDataException failure)
                {
                    throw new ObjectStoreException(ErrorKind.Refused, $"{Address}: cannot {action} {name}: {failure.Message}", false, "use OpenSSH's server", failure);
                }
            },
            cancellationToken);

    private async Task<SftpSession> ConnectAsync(CancellationToken cancellationToken)
    {
        if (session is { Connection.IsBroken: false } usable) return usable;
        await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (session is { Connection.IsBroken: false } other) return other;
            session?.Connection.Dispose();
            return session = await SftpSession.OpenAsync(address, host.Clock, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            connecting.Release();
        }
    }

    private async Task<ObjectStoreException> RefusedAsync(SftpSession current, string action, string name, SftpException refusal)
    {
        string what = $"{Address}: cannot {action} {(name.Length == 0 ? "objects" : name)}: {refusal.Message}";
        switch (refusal.Status)
        {
            case SftpStatus.PermissionDenied:
                return new(ErrorKind.Refused, what, false, $"the account must own {address.Root} on {address.Host}", refusal);
            case SftpStatus.NoSuchFile or SftpStatus.NotSupported:
                return new(ErrorKind.Refused, what, false, "check the path", refusal);
        }

        // The protocol has no word for a full disk.
        const ulong fewBytes = IObjectStore.MaxObjectBytes;
        if (action == "write" && await TryGetFreeBytesAsync(current).ConfigureAwait(false) is { } free and < fewBytes)
        {
            return new(ErrorKind.Failed, string.Create(CultureInfo.InvariantCulture, $"{what}: {free >> 20} MiB are free there"), false, $"make room on {address.Host}", refusal);
        }

        return new(ErrorKind.Failed, what, false, $"look at the disk of {address.Host}, and at its log of sshd", refusal);
    }

    private async Task<ulong?> TryGetFreeBytesAsync(SftpSession current)
    {
        try
        {
            return await current.Files.TryGetFreeBytesAsync(address.Root).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ObjectStoreException or SftpException)
        {
            return null;
        }
    }

    private ObjectStoreException NoLinks() => new(
        ErrorKind.Refused, $"{Address}: files cannot be given a second name there, so that two clients could destroy each other's data", false,
        "use a directory on a file system with hard links (not FAT or exFAT), and OpenSSH's server");
}
