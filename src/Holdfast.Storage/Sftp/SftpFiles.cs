using System.Text;

namespace Holdfast.Storage.Sftp;

/// <summary>What can be done with files over one connection. Refusals are <see cref="SftpException"/>.</summary>
/// <remarks>May be used from any thread; a handle by one at a time.</remarks>
internal sealed class SftpFiles(SftpConnection connection, SftpLimits limits)
{
    /// <summary>Gives a file a second name unless that exists; link(2).</summary>
    public const string LinkExtension = "hardlink@openssh.com";

    /// <summary>Makes what was written to an open file, or a directory, durable; fsync(2).</summary>
    public const string SyncExtension = "fsync@openssh.com";

    /// <summary>Tells how much space there is; statvfs(3).</summary>
    public const string SpaceExtension = "statvfs@openssh.com";

    /// <summary>Tells how much fits into a packet.</summary>
    public const string LimitsExtension = "limits@openssh.com";

    private const uint ForReading = 1;
    private const uint ForNewFile = 2 | 8 | 32;
    private const uint FileMode = 0x180;
    private const uint DirectoryMode = 0x1C0;

    // So much is under way at once for one file: a line of 100 MB/s and 80 ms holds that.
    private const int WindowBytes = 8 << 20;

    // Small, as long as there is nothing to wait for: the answers hold a hundred names each.
    private const int DirectoryWindow = 4;

    /// <summary>Opens a file, or a directory, for reading; null when there is none.</summary>
    public async Task<byte[]?> TryOpenAsync(string path)
    {
        SftpReply reply = await connection.SendAsync(new SftpRequest(SftpMessage.Open).Add(path).Add(ForReading).Add(0)).ConfigureAwait(false);
        reply.Expect(SftpMessage.Handle, SftpStatus.NoSuchFile);
        return reply.Message == SftpMessage.Handle ? HandleOf(reply) : null;
    }

    /// <summary>Makes a file that does not exist yet, for writing.</summary>
    public async Task<byte[]> CreateAsync(string path)
    {
        SftpRequest request = new SftpRequest(SftpMessage.Open).Add(path).Add(ForNewFile).AddPermissions(FileMode);
        return HandleOf((await connection.SendAsync(request).ConfigureAwait(false)).Expect(SftpMessage.Handle));
    }

    /// <summary>Closes a handle; whoever does not wait for it may go on.</summary>
    public Task CloseAsync(byte[] handle) => connection.SendAsync(new SftpRequest(SftpMessage.Close).Add(handle.AsSpan()));

    /// <summary>Writes content from the start of a file.</summary>
    public async Task WriteAsync(byte[] handle, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var underWay = new Queue<Task<SftpReply>>();
        int most = Math.Max(1, WindowBytes / limits.WriteBytes);
        try
        {
            for (int done = 0; done < content.Length; done += limits.WriteBytes)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (underWay.Count == most) (await underWay.Dequeue().ConfigureAwait(false)).Expect(SftpMessage.Status);
                ReadOnlyMemory<byte> piece = content.Slice(done, Math.Min(limits.WriteBytes, content.Length - done));
                underWay.Enqueue(connection.SendAsync(new SftpRequest(SftpMessage.Write).Add(handle.AsSpan()).Add((ulong)done).AddTail(piece)));
            }

            while (underWay.TryDequeue(out Task<SftpReply>? last)) (await last.ConfigureAwait(false)).Expect(SftpMessage.Status);
        }
        finally
        {
            // Also after a failure: the caller may use the memory for something else as soon as this returns.
            while (underWay.TryDequeue(out Task<SftpReply>? left)) await ((Task)left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Fills the target from the offset on, as far as the file goes; returns how much.</summary>
    public async Task<int> ReadAsync(byte[] handle, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        var underWay = new Queue<(Task<SftpReply> Reply, int At, int Bytes)>();
        int most = Math.Max(1, WindowBytes / limits.ReadBytes);
        int asked = 0, end = target.Length;
        while (asked < end || underWay.Count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            while (underWay.Count < most && asked < end)
            {
                int bytes = Math.Min(limits.ReadBytes, end - asked);
                underWay.Enqueue((SendReadAsync(handle, offset + asked, bytes), asked, bytes));
                asked += bytes;
            }

            (Task<SftpReply> sent, int at, int wanted) = underWay.Dequeue();
            SftpReply reply = await sent.WaitAsync(cancellationToken).ConfigureAwait(false);
            while (true)
            {
                int read = CopyData(reply.Expect(SftpMessage.Data, SftpStatus.EndOfFile), target.Slice(at, wanted).Span);
                at += read;
                wanted -= read;
                if (read == 0) end = Math.Min(end, at);
                if (read == 0 || wanted == 0) break;
                // Fewer than asked: the protocol allows it also where the file goes on.
                reply = await SendReadAsync(handle, offset + at, wanted).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        return end;
    }

    /// <summary>What is there, behind symbolic links; null when there is nothing.</summary>
    public Task<SftpAttributes?> TryStatAsync(string path) => TryStatAsync(new SftpRequest(SftpMessage.Stat).Add(path));

    /// <summary>What a handle stands for.</summary>
    public async Task<SftpAttributes> StatAsync(byte[] handle) =>
        await TryStatAsync(new SftpRequest(SftpMessage.StatOfHandle).Add(handle.AsSpan())).ConfigureAwait(false) ?? throw new SftpException(SftpStatus.NoSuchFile, "no such file");

    /// <summary>Makes what was written durable, or the names in a directory.</summary>
    public async Task SyncAsync(byte[] handle) =>
        (await connection.SendAsync(new SftpRequest(SftpMessage.Extended).Add(SyncExtension).Add(handle.AsSpan())).ConfigureAwait(false)).Expect(SftpMessage.Status);

    /// <summary>Makes the names in a directory durable; false when there is none.</summary>
    public async Task<bool> TrySyncDirectoryAsync(string path)
    {
        if (await TryOpenAsync(path).ConfigureAwait(false) is not { } handle) return false;
        try
        {
            await SyncAsync(handle).ConfigureAwait(false);
            return true;
        }
        finally
        {
            _ = CloseAsync(handle);
        }
    }

    /// <summary>Gives a file a second name; false when the server refused, as it does when the name exists.</summary>
    public async Task<bool> TryLinkAsync(string from, string to)
    {
        SftpRequest request = new SftpRequest(SftpMessage.Extended).Add(LinkExtension).Add(from).Add(to);
        SftpReply reply = await connection.SendAsync(request).ConfigureAwait(false);
        return reply.Expect(SftpMessage.Status, SftpStatus.Failure).Status == SftpStatus.Ok;
    }

    /// <summary>Removes a name; Ok, NoSuchFile or Failure, which is also said of a directory.</summary>
    public async Task<SftpStatus> RemoveAsync(string path)
    {
        SftpReply reply = await connection.SendAsync(new SftpRequest(SftpMessage.Remove).Add(path)).ConfigureAwait(false);
        return reply.Expect(SftpMessage.Status, SftpStatus.NoSuchFile, SftpStatus.Failure).Status;
    }

    /// <summary>False when something of that name exists, or the server says no more than that it failed.</summary>
    public async Task<bool> TryMakeDirectoryAsync(string path)
    {
        SftpReply reply = await connection.SendAsync(new SftpRequest(SftpMessage.MakeDirectory).Add(path).AddPermissions(DirectoryMode)).ConfigureAwait(false);
        return reply.Expect(SftpMessage.Status, SftpStatus.Failure).Status == SftpStatus.Ok;
    }

    /// <summary>Everything in a directory but itself and the one above, in no order; null when there is none.</summary>
    public async Task<List<SftpEntry>?> TryListAsync(string path, CancellationToken cancellationToken)
    {
        SftpReply opening = await connection.SendAsync(new SftpRequest(SftpMessage.OpenDirectory).Add(path)).ConfigureAwait(false);
        if (opening.Expect(SftpMessage.Handle, SftpStatus.NoSuchFile).Message != SftpMessage.Handle) return null;
        byte[] handle = HandleOf(opening);
        try
        {
            var entries = new List<SftpEntry>();
            var underWay = new Queue<Task<SftpReply>>();
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                while (underWay.Count < DirectoryWindow) underWay.Enqueue(connection.SendAsync(new SftpRequest(SftpMessage.ReadDirectory).Add(handle.AsSpan())));
                SftpReply reply = await underWay.Dequeue().ConfigureAwait(false);
                if (reply.Expect(SftpMessage.Name, SftpStatus.EndOfFile).Message != SftpMessage.Name) return entries;
                ReadNames(reply, entries);
            }
        }
        finally
        {
            _ = CloseAsync(handle);
        }
    }

    /// <summary>Bytes that the user may still write where a path lies; null when the server does not say.</summary>
    public async Task<ulong?> TryGetFreeBytesAsync(string path)
    {
        if (!connection.Extensions.Contains(SpaceExtension)) return null;
        SftpReply reply = await connection.SendAsync(new SftpRequest(SftpMessage.Extended).Add(SpaceExtension).Add(path)).ConfigureAwait(false);
        if (reply.Message != SftpMessage.ExtendedReply) return null;
        SftpReader reader = reply.Read();
        // Block size, unit of the counts, blocks, free ones, those free for the user (OpenSSH's PROTOCOL, 4.4).
        reader.Skip(sizeof(ulong));
        ulong unit = reader.UInt64();
        reader.Skip(2 * sizeof(ulong));
        return unit * reader.UInt64();
    }

    private Task<SftpReply> SendReadAsync(byte[] handle, long offset, int bytes) =>
        connection.SendAsync(new SftpRequest(SftpMessage.Read).Add(handle.AsSpan()).Add((ulong)offset).Add((uint)bytes));

    private async Task<SftpAttributes?> TryStatAsync(SftpRequest request)
    {
        SftpReply reply = (await connection.SendAsync(request).ConfigureAwait(false)).Expect(SftpMessage.Attributes, SftpStatus.NoSuchFile);
        if (reply.Message != SftpMessage.Attributes) return null;
        SftpReader reader = reply.Read();
        return SftpAttributes.Decode(ref reader);
    }

    private static byte[] HandleOf(SftpReply reply) => reply.Read().Text().ToArray();

    private static int CopyData(SftpReply reply, Span<byte> target)
    {
        if (reply.Message == SftpMessage.Status) return 0;
        ReadOnlySpan<byte> data = reply.Read().Text();
        if (data.Length > target.Length) throw new SftpException(SftpStatus.BadMessage, "more bytes came than were asked for");
        data.CopyTo(target);
        return data.Length;
    }

    private static void ReadNames(SftpReply reply, List<SftpEntry> entries)
    {
        SftpReader reader = reply.Read();
        for (uint left = reader.UInt32(); left > 0; left--)
        {
            string name = Encoding.UTF8.GetString(reader.Text());
            // The same as `ls -l` would show it.
            reader.Text();
            SftpAttributes attributes = SftpAttributes.Decode(ref reader);
            if (name is not ("." or "..")) entries.Add(new SftpEntry(name, attributes));
        }
    }
}

/// <summary>What a directory holds.</summary>
/// <param name="Name">Without the directory.</param>
/// <param name="Attributes">Of a symbolic link its own.</param>
internal readonly record struct SftpEntry(string Name, SftpAttributes Attributes);
