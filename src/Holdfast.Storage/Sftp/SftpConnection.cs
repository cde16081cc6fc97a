using System.Buffers.Binary;
using System.Collections.Concurrent;
using Holdfast.Log;

namespace Holdfast.Storage.Sftp;

/// <summary>One connection to a server: many requests may be under way at once. Once it broke it stays so.</summary>
/// <remarks>May be used from any thread. Protocol: draft-ietf-secsh-filexfer-02, version 3, which all servers speak.</remarks>
internal sealed class SftpConnection : IDisposable
{
    private const uint ProtocolVersion = 3;

    // The largest that any server sends is 256 KiB and a head; what is larger is no packet.
    private const int MaxPacketBytes = 1 << 20;
    private const int HeadBytes = 4;

    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestCheck = TimeSpan.FromSeconds(5);

    private readonly SftpAddress address;
    private readonly TimeProvider clock;
    private readonly SshProcess process;
    private readonly SemaphoreSlim sending = new(1);
    private readonly ConcurrentDictionary<uint, TaskCompletionSource<SftpReply>> waiting = new();
    private readonly TaskCompletionSource<SftpReply> version = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private readonly ITimer watch;
    private uint lastNumber;
    private long lastProgress;
    private volatile bool opened;
    private volatile ObjectStoreException? broken;

    private SftpConnection(SftpAddress address, TimeProvider clock, SshProcess process)
    {
        this.address = address;
        this.clock = clock;
        this.process = process;
        Progress();
        TimeSpan check = TimeSpan.FromTicks(Math.Min(address.Timeout.Ticks / 4, LongestCheck.Ticks));
        watch = clock.CreateTimer(static connection => ((SftpConnection)connection!).EndIfStalled(), this, check, check);
        new Thread(ReadReplies) { IsBackground = true, Name = "sftp" }.Start();
    }

    /// <summary>Whether a new one is needed.</summary>
    public bool IsBroken => broken is not null;

    /// <summary>What the server offers beyond the protocol, each with its version.</summary>
    public IReadOnlySet<string> Extensions { get; private set; } = new HashSet<string>();

    /// <summary>Connects and agrees on the protocol.</summary>
    /// <exception cref="ObjectStoreException">There is no way to the server, or no SFTP there.</exception>
    public static async Task<SftpConnection> OpenAsync(SftpAddress address, TimeProvider clock, CancellationToken cancellationToken)
    {
        SshProcess process;
        try
        {
            process = SshProcess.Start(address);
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            throw new ObjectStoreException(ErrorKind.Refused, $"{address.Text}: ssh cannot be started: {failure.Message}", false, "install ssh (Debian: openssh-client) and setsid (util-linux)", failure);
        }

        var connection = new SftpConnection(address, clock, process);
        try
        {
            byte[] hello = [0, 0, 0, 5, (byte)SftpMessage.Init, 0, 0, 0, (byte)ProtocolVersion];
            await connection.WriteAsync(hello, default).ConfigureAwait(false);
            SftpReply said = await connection.version.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            connection.Extensions = ReadVersion(address, said);
            connection.opened = true;
            return connection;
        }
        catch
        {
            // Whatever it was: the process must not stay behind.
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request and waits for the answer, whatever it says.</summary>
    /// <param name="request">Given its number here.</param>
    /// <exception cref="ObjectStoreException">The connection broke: what became of the request is not known.</exception>
    public async Task<SftpReply> SendAsync(SftpRequest request)
    {
        var reply = new TaskCompletionSource<SftpReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        uint number;
        lock (gate)
        {
            if (waiting.IsEmpty) Progress();
            number = ++lastNumber;
            waiting[number] = reply;
        }

        request.Number(number);
        await WriteAsync(request.Head, request.Tail).ConfigureAwait(false);
        return await reply.Task.ConfigureAwait(false);
    }

    public void Dispose()
    {
        Break(new ObjectStoreException($"{address.Text}: closed", isRetriable: true));
        watch.Dispose();
        process.Dispose();
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> tail)
    {
        await sending.WaitAsync().ConfigureAwait(false);
        try
        {
            if (broken is { } failure) throw failure;
            await process.Input.WriteAsync(head).ConfigureAwait(false);
            if (!tail.IsEmpty) await process.Input.WriteAsync(tail).ConfigureAwait(false);
            await process.Input.FlushAsync().ConfigureAwait(false);
            Progress();
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // The reader knows why, or will at once.
            await ended.Task.WaitAsync(EndPatience, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Break(Lost(failure.Message, failure));
            throw broken!;
        }
        finally
        {
            sending.Release();
        }
    }

    private void ReadReplies()
    {
        try
        {
            byte[] head = new byte[HeadBytes];
            while (true)
            {
                if (process.Output.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false) < HeadBytes) break;
                uint length = BinaryPrimitives.ReadUInt32BigEndian(head);
                if (length is < 5 or > MaxPacketBytes) throw new InvalidDataException($"a packet of {length} bytes");
                byte[] packet = new byte[length];
                process.Output.ReadExactly(packet);
                Progress();
                Deliver((SftpMessage)packet[0], packet.AsSpan(1));
            }

            Break(OfEnd(process.EndAndReadMessages(EndPatience)));
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or InvalidOperationException)
        {
            Break(Lost(failure.Message, failure));
        }
        catch (InvalidDataException failure)
        {
            Break(new ObjectStoreException(
                ErrorKind.Refused, $"{address.Text}: what {address.Host} answered is not SFTP: {failure.Message}", false,
                "does a start-up file of the account print something? does the server offer the subsystem sftp?", failure));
        }
    }

    private void Deliver(SftpMessage message, ReadOnlySpan<byte> rest)
    {
        if (message == SftpMessage.Version)
        {
            version.TrySetResult(new SftpReply(message, rest.ToArray()));
            return;
        }

        if (!opened && !version.Task.IsCompleted) throw new InvalidDataException($"a packet of kind {(int)message} to begin with");
        uint number = BinaryPrimitives.ReadUInt32BigEndian(rest);
        if (waiting.TryRemove(number, out TaskCompletionSource<SftpReply>? reply)) reply.SetResult(new SftpReply(message, rest[sizeof(uint)..].ToArray()));
    }

    private static HashSet<string> ReadVersion(SftpAddress address, SftpReply said)
    {
        SftpReader reader = said.Read();
        uint number = reader.UInt32();
        if (number < ProtocolVersion) throw new ObjectStoreException(ErrorKind.Refused, $"{address.Text}: the server speaks SFTP {number}, 3 is needed", false, "use OpenSSH's server");
        var extensions = new HashSet<string>(StringComparer.Ordinal);
        while (!reader.IsAtEnd)
        {
            extensions.Add(System.Text.Encoding.UTF8.GetString(reader.Text()));
            reader.Text();
        }

        return extensions;
    }

    private void Progress() => Interlocked.Exchange(ref lastProgress, clock.GetTimestamp());

    private void EndIfStalled()
    {
        if (broken is not null || (opened && waiting.IsEmpty)) return;
        if (clock.GetElapsedTime(Interlocked.Read(ref lastProgress)) < address.Timeout) return;
        Break(new ObjectStoreException(
            $"{address.Text}: no answer from {address.Host} within {address.Timeout.TotalSeconds:0} seconds", isRetriable: true,
            "is the server running? a slow line needs timeout=SECONDS in the address"));
    }

    /// <summary>Everybody who waits, and comes from now on, gets the error; the first one stays.</summary>
    private void Break(ObjectStoreException failure)
    {
        lock (gate) broken ??= failure;
        process.Kill();
        ended.TrySetResult();
        version.TrySetException(broken);
        foreach (uint number in waiting.Keys)
        {
            if (waiting.TryRemove(number, out TaskCompletionSource<SftpReply>? reply)) reply.TrySetException(broken);
        }
    }

    private ObjectStoreException Lost(string what, Exception? inner = null) => new(
        $"{address.Text}: the connection to {address.Host} broke: {what}", isRetriable: true, "check the network and that the server runs", inner);

    private ObjectStoreException OfEnd(IReadOnlyList<string> messages)
    {
        string said = messages.Count == 0 ? "ssh ended without a word" : messages[^1];
        if (opened) return Lost(said);
        // ssh has one exit code for all of them.
        foreach (string message in messages)
        {
            if (message.Contains("Permission denied", StringComparison.Ordinal) || message.Contains("Too many authentication failures", StringComparison.Ordinal))
            {
                return new(
                    ErrorKind.WrongKey, $"{address.Text}: {address.Host} does not let us in: {message}", false,
                    "ssh must get in without a question: add the public key to the account's authorized_keys, name the private key (key=FILE), or load it into an agent");
            }

            if (message.Contains("Host key verification failed", StringComparison.Ordinal) || message.Contains("IDENTIFICATION HAS CHANGED", StringComparison.Ordinal))
            {
                return new(
                    ErrorKind.Refused, $"{address.Text}: the key of {address.Host} is not the one that is known, or none is known", false,
                    "make sure which server it is, connect once with ssh to accept its key, or name a file that holds it (known-hosts=FILE)");
            }

            if (message.Contains("ubsystem request failed", StringComparison.Ordinal))
            {
                return new(ErrorKind.Refused, $"{address.Text}: {address.Host} offers no SFTP", false, "let sshd_config have a line \"Subsystem sftp internal-sftp\"");
            }

            if (message.StartsWith("setsid:", StringComparison.Ordinal))
            {
                return new(ErrorKind.Refused, $"{address.Text}: ssh cannot be started: {message}", false, "install ssh (Debian: openssh-client)");
            }
        }

        return new($"{address.Text}: no connection to {address.Host}: {said}", isRetriable: true, "check host, port, network and that the server runs");
    }
}
