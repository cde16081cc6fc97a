using System.Net;
using System.Net.Sockets;

namespace Holdfast.Testing.Services;

/// <summary>
/// Passes connections on to a server, and cuts them as scripted: what the client sent arrives, what the server answered does not.
/// </summary>
public sealed class CuttingProxy : IDisposable
{
    private const int BufferBytes = 64 << 10;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly IPEndPoint server;
    private readonly Lock gate = new();
    private readonly HashSet<Socket> open = [];
    private int answersUntilCut = int.MaxValue;
    private int cuts;
    private bool refuses;

    public CuttingProxy(IPEndPoint server)
    {
        this.server = server;
        listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)listener.LocalEndpoint;

    /// <summary>The same as an endpoint of S3.</summary>
    public Uri Uri => new($"http://{EndPoint}");

    /// <summary>How many connections were cut as scripted.</summary>
    public int Cuts
    {
        get { lock (gate) return cuts; }
    }

    /// <summary>Called with what a client sends, before it is passed on.</summary>
    public Action<ReadOnlyMemory<byte>>? OnSent { get; set; }

    /// <summary>The n-th piece that servers send from now on does not arrive: its connection is cut instead. The first is 1.</summary>
    public void CutAtAnswer(int number)
    {
        lock (gate) answersUntilCut = number;
    }

    /// <summary>Cuts all connections, and new ones as soon as they are made, until <see cref="Restore"/>.</summary>
    public void Interrupt()
    {
        lock (gate)
        {
            refuses = true;
            foreach (Socket socket in open) socket.Close(0);
            open.Clear();
        }
    }

    /// <summary>Passes on again.</summary>
    public void Restore()
    {
        lock (gate) refuses = false;
    }

    public void Dispose()
    {
        stop.Cancel();
        listener.Stop();
        Interrupt();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await listener.AcceptSocketAsync(stop.Token);
                _ = PassAsync(client);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task PassAsync(Socket client)
    {
        using Socket toClient = client;
        using var toServer = new Socket(SocketType.Stream, ProtocolType.Tcp);
        toClient.NoDelay = toServer.NoDelay = true;
        lock (gate)
        {
            if (refuses) return;
            open.Add(toClient);
            open.Add(toServer);
        }

        try
        {
            await toServer.ConnectAsync(server, stop.Token);
            await Task.WhenAny(PumpAsync(toClient, toServer, fromServer: false), PumpAsync(toServer, toClient, fromServer: true));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The server is away, or all this is being disposed of.
        }
        finally
        {
            lock (gate)
            {
                open.Remove(toClient);
                open.Remove(toServer);
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool fromServer)
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer, stop.Token)) > 0)
            {
                if (fromServer && IsToBeCut()) return;
                if (!fromServer) OnSent?.Invoke(buffer.AsMemory(0, count));
                for (int sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), stop.Token);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The other end went away.
        }
    }

    private bool IsToBeCut()
    {
        lock (gate)
        {
            if (answersUntilCut == int.MaxValue || --answersUntilCut > 0) return false;
            answersUntilCut = int.MaxValue;
            cuts++;
            return true;
        }
    }
}
